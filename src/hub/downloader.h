// A download, step by step. The public call is hf2mlx/download.h.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "hf2mlx/download.h"
#include "hub/hub_api.h"
#include "hub/hub_error.h"
#include "hub/hub_link.h"
#include "hub/place.h"
#include "hub/transfer.h"
#include "hub/tree.h"
#include "io/space_posix.h"

namespace hf2mlx {

// For one run, over a link that must outlive it: `options.hub` is not looked at. Its threads share what the mutex guards.
class Downloader {
 public:
  Downloader(DownloadOptions options, HubLink& link, Progress* progress);

  // `others` is what else must fit beside the download.
  DownloadReport run(const std::vector<SpaceNeed>& others = {});

 private:
  void resolve();
  void resolve_offline(const Error& reason);
  void set_commit(const std::string& commit);
  void select(HubApi* api);  // null: offline
  std::vector<std::string> index_files(HubApi* api);
  void look();
  uint64_t missing_bytes() const;
  void check_space(std::vector<SpaceNeed> others) const;
  void write_listing();
  void remove_leftovers();
  void fetch_all();
  void work();
  std::shared_ptr<Transfer> begin_next();
  void end(const std::shared_ptr<Transfer>& transfer);
  void help_others(Session& session);
  TransferEvents make_events();
  void advance(int64_t bytes);
  void note(const std::string& line);
  DownloadReport report() const;

  const DownloadOptions options_;
  HubLink& link_;
  Progress* const progress_;

  const Wanted wanted_;
  bool is_offline_ = false;  // there is no network, or it may not be used
  std::string commit_;
  std::unique_ptr<Place> place_;
  Tree tree_;
  Tree selected_;
  std::vector<Presence> presence_;         // of each selected file, before the download
  std::vector<const TreeEntry*> pending_;  // those that are not there

  const TransferEvents events_;

  std::mutex mutex_;  // guards all below, and calls of progress_
  size_t next_ = 0;   // of pending_
  std::vector<std::shared_ptr<Transfer>> active_;
  uint64_t done_bytes_ = 0;
  uint64_t received_bytes_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace hf2mlx
