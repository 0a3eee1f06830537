// An upload, step by step. The public call is hf2mlx/upload.h.
#pragma once

#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hf2mlx/upload.h"
#include "hub/http.h"
#include "hub/stop.h"
#include "hub/tree.h"
#include "hub/upload_api.h"

namespace hf2mlx {

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

  Session connect();
  Sleep sleep();
  void list_files();
  void look(Session& session);
  void hash();
  std::vector<std::string> stale_weights() const;
  void send_large_files(Session& session);
  void send_large(Session& session, const Item& item);
  std::vector<std::string> send_parts(const Reader& file, const LargeFileTarget& target);
  void commit(Session& session);
  void check_token() const;
  void advance(uint64_t bytes);
  UploadReport report() const;

  const UploadOptions options_;
  const ConnectionFactory connect_;
  Progress* const progress_;
  Stop stop_;

  const Wanted wanted_;
  std::vector<Item> items_;  // sorted by path
  Tree remote_;              // what the repository has
  std::string commit_;       // first the one it has, then the new one

  std::mutex mutex_;  // guards all below, and calls of progress_
  uint64_t done_bytes_ = 0;
  uint64_t sent_bytes_ = 0;
};

}  // namespace hf2mlx
