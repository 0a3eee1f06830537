// A file on the hub: what it is, where it is, and whether its server sends parts of it.
#pragma once

#include <mutex>
#include <string>

#include "hub/arrivals.h"
#include "hub/hub_error.h"
#include "hub/session.h"
#include "hub/tree.h"

namespace hf2mlx {

// Thread-safe: what one connection learns, the others know.
class HubFile {
 public:
  enum class Parts { kUnknown, kSent, kNotSent };

  // `entry` must outlive this.
  HubFile(const HubOptions& options, const Wanted& wanted, std::string commit, const TreeEntry& entry);

  const TreeEntry& entry() const { return entry_; }
  const Wanted& wanted() const { return wanted_; }
  Parts parts() const;

  // Goes to the storage itself where its address is known: that is a request less, and hubs count them.
  HubRequest request(ByteRange range) const;
  // To be called when an answer to such a request is a success. Returns what the body is: the range, or the whole file. Error{kCorrupt}
  // when it is of another file, Error{kNetwork} when it is of another range.
  ByteRange accept(const HubRequest& request, const HubAnswer& answer);
  // To be called when a request failed. Whether to ask again at once: addresses of the storage are good for a time only, and the hub makes
  // new ones.
  bool has_moved(const HubRequest& request, const HubAnswer& answer);

 private:
  void check_same_file(const HttpResponse& hub) const;
  void check_range(const HubRequest& request, const HttpResponse& response) const;

  const Wanted wanted_;
  const std::string commit_;
  const TreeEntry& entry_;
  const std::string hub_address_;

  mutable std::mutex mutex_;     // guards all below
  std::string storage_address_;  // where the hub redirected to; empty: not known
  Parts parts_ = Parts::kUnknown;
};

// Where the hub has a file.
std::string resolve_address(const HubOptions& options, const std::string& repo_id, const std::string& commit, const std::string& path);

}  // namespace hf2mlx
