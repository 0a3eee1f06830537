// An upload, step by step. The public call is hf2mlx/upload.h.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hf2mlx/upload.h"
#include "hub/hub_link.h"
#include "hub/tree.h"
#include "hub/upload_api.h"

namespace hf2mlx {

// What the options alone tell: Error{kUsage} for a name that cannot be a repository's, kNetwork while offline, kAuth without a token.
void check_upload(const UploadOptions& options);

// For one run.
class Uploader {
 public:
  Uploader(UploadOptions options, ConnectionFactory connect, Progress* progress, const CancelToken* cancel);

  UploadReport run();

 private:
  // A file of the folder.
  struct Item {
    std::filesystem::path file;
    Storage storage = Storage::kSmall;
    TreeEntry entry;  // its hash is that of the storage it goes to
    bool was_there = false;
  };

  void list_files();
  void look();
  void ask_for_storage(UploadApi& api);
  void hash();
  std::string digest_of_item(const Item& item);
  std::vector<std::string> stale_weights() const;
  void send_large_files();
  void send_large(const Item& item);
  void send_content(const Item& item, const LargeFileTarget& target);
  std::vector<std::string> send_parts(const Reader& file, const LargeFileTarget& target);
  void commit();
  void advance(uint64_t bytes);
  UploadReport report() const;

  // `work` has a connection for itself meanwhile.
  template <typename Work>
  auto ask(const Work& work) {
    HubLink::Lease lease(link_);
    UploadApi api(lease.session(), wanted_, link_.events().sleep);
    return work(api);
  }

  const UploadOptions options_;
  Progress* const progress_;
  const Wanted wanted_;
  HubLink link_;

  std::vector<Item> items_;  // sorted by path
  Tree remote_;              // what the repository has
  std::string commit_;       // first the one it has, then the new one

  uint64_t sent_bytes_ = 0;

  std::mutex mutex_;  // guards what is below, and calls of progress_
  uint64_t done_bytes_ = 0;
};

}  // namespace hf2mlx
