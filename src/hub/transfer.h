// One file from the hub to its place.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "hub/hub_error.h"
#include "hub/partial_file.h"
#include "hub/place.h"
#include "hub/retry.h"
#include "hub/session.h"

namespace hf2mlx {

// What a transfer tells. Called from its thread.
struct TransferEvents {
  std::function<void(int64_t)> advanced;          // bytes of the file that are here now; negative where they turned out wrong
  std::function<void(uint64_t)> received;         // bytes from the network
  std::function<void(const std::string&)> noted;  // something the user should know
  Sleep sleep;
};

// Not thread-safe. Several may run at once, in any number of processes: they lock what they write.
class Transfer final : private HubBody {
 public:
  Transfer(Session& session, Place& place, const Wanted& wanted, const std::string& commit, const TreeEntry& entry,
           const TransferEvents& events);

  // Returns when the file is in its place. A checksum that is wrong twice is Error{kCorrupt}; the content is then kept aside.
  void run();

 private:
  void begin(const HubAnswer& answer) override;
  void append(std::span<const std::byte> data) override;

  void download();
  void fetch();
  void fail_if_final(HubAnswer answer, Retry& retry) const;
  void check_same_file(const HttpResponse& hub) const;
  void check_range(const HttpResponse& response) const;
  void start_over();
  Error wrong_content(const std::filesystem::path& aside) const;

  Session& session_;
  Place& place_;
  const Wanted wanted_;
  const std::string commit_;
  const TreeEntry& entry_;
  const TransferEvents& events_;
  std::string url_;
  std::optional<PartialFile> file_;
  bool has_received_ = false;  // since the last request
};

// Where the hub has a file.
std::string resolve_address(const HubOptions& options, const std::string& repo_id, const std::string& commit, const std::string& path);

}  // namespace hf2mlx
