// A part of a file from the hub, by one connection.
#pragma once

#include "hub/hub_file.h"
#include "hub/retry.h"
#include "hub/session.h"

namespace hf2mlx {

// What a transfer tells. Called from its threads.
struct TransferEvents {
  std::function<void(int64_t)> advanced;          // bytes of the file that are here now; negative where they turned out wrong
  std::function<void(uint64_t)> received;         // bytes from the network
  std::function<void(const std::string&)> noted;  // something the user should know
  Sleep sleep;
};

// Where the bytes of a file go.
class PartTarget {
 public:
  virtual ~PartTarget() = default;
  // The next bytes of a claim, which becomes smaller by them. More than that is Error{kCorrupt}.
  virtual void write(ByteRange& claimed, std::span<const std::byte> data) = 0;
  // The server sends all of the file, from its beginning: gives `claimed` back and claims all of it, for which what has arrived is
  // forgotten; or nothing where others have claims.
  virtual ByteRange restart_for(ByteRange claimed) = 0;
  virtual void release(ByteRange range) = 0;
  virtual uint64_t arrived_bytes() const = 0;
};

// Not thread-safe; one for each claim.
class PartFetch final : private HubBody {
 public:
  PartFetch(Session& session, HubFile& source, PartTarget& file, const TransferEvents& events, ByteRange claim)
      : session_(session), source_(source), file_(file), events_(events), range_(claim), furthest_bytes_(claim.begin_bytes) {}
  // Gives back what of the claim has not arrived.
  ~PartFetch() override { file_.release(range_); }

  // Returns when all of it has arrived, or when the server sends only whole files and others are at this one.
  void run();

 private:
  void begin(const HubAnswer& answer) override;
  void append(std::span<const std::byte> data) override;
  void begin_whole();
  void try_once(Retry& retry);

  Session& session_;
  HubFile& source_;
  PartTarget& file_;
  const TransferEvents& events_;
  ByteRange range_;          // that is missing still
  uint64_t furthest_bytes_;  // that it ever began at: without ranges it may go back
  HubRequest request_;       // the last one
};

}  // namespace hf2mlx
