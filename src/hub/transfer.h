// One file from the hub to its place, by one connection or several.
#pragma once

#include <optional>
#include <string>

#include "hub/hub_file.h"
#include "hub/part_fetch.h"
#include "hub/partial_file.h"
#include "hub/place.h"
#include "hub/session.h"

namespace hf2mlx {

// Of one download.
inline constexpr uint64_t kMostConnections = 8;
// While another process is at a file.
inline constexpr std::chrono::milliseconds kLockPause{100};
// A part takes one request. Small ones at the end let all connections end at about the same time, and none is so large that what has
// arrived is out of the page cache when its turn to be hashed comes.
inline constexpr uint64_t kLeastPartBytes = 16 << 20;
inline constexpr uint64_t kMostPartBytes = 64 << 20;

// One thread calls run(), others may call help() meanwhile. Any number of processes may do this at once: they lock what they write.
class Transfer {
 public:
  Transfer(const HubOptions& options, Place& place, const Wanted& wanted, const std::string& commit, const TreeEntry& entry,
           const TransferEvents& events)
      : place_(place), entry_(entry), events_(events), source_(options, wanted, commit, entry) {}

  // Returns when the file is in its place. A checksum that is wrong twice is Error{kCorrupt}; the content is then kept aside.
  void run(Session& session);
  // Fetches parts of it; false when there are none left, or none yet.
  bool help(Session& session);

 private:
  void download(Session& session);
  void fetch_all(Session& session);
  bool fetch_parts(Session& session);
  ByteRange claim_part();
  Error wrong_content(const std::filesystem::path& aside) const;

  Place& place_;
  const TreeEntry& entry_;
  const TransferEvents& events_;
  HubFile source_;
  std::optional<PartialFile> file_;  // others use it only when the server has sent a part: then it is there
};

}  // namespace hf2mlx
