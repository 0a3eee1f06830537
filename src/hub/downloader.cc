// See downloader.h.
#include "hub/downloader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "hub/hub_api.h"
#include "hub/selection.h"
#include "io/file_lock_posix.h"
#include "io/file_posix.h"
#include "source/hf_cache.h"
#include "source/locate.h"
#include "source/weight_index.h"
#include "source/weight_names.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMain = "main";

Wanted parse_wanted(const DownloadOptions& options) {
  const RepoName repo = split_repo_name(options.repo, options.revision);
  if (!is_repo_id(repo.repo_id)) {
    throw Error(ErrorCode::kUsage, fmt::format("'{}' cannot be the name of a repository", repo.repo_id), "expected org/name");
  }
  check_revision(repo.revision);
  return {repo.repo_id, repo.revision.empty() ? kMain : repo.revision, ""};
}

uint64_t size_of_all(const Tree& tree) {
  uint64_t total = 0;
  for (const TreeEntry& entry : tree) total += entry.size_bytes;
  return total;
}

}  // namespace

Downloader::Downloader(DownloadOptions options, HubLink& link, Progress* progress)
    : options_(std::move(options)), link_(link), progress_(progress), wanted_(parse_wanted(options_)), events_(make_events()) {}

DownloadReport Downloader::run(const std::vector<SpaceNeed>& others) {
  // 1. Which commit, which files, and which of them are here.
  resolve();
  look();
  if (options_.dry_run) return report();
  // 2. Nothing is written before it is clear that all will fit.
  if (!pending_.empty()) {
    check_space(others);
    place_->mark();
  }
  write_listing();
  remove_leftovers();
  // 3. Several files at once, each checked as it arrives.
  fetch_all();
  return report();
}

void Downloader::resolve() {
  if (link_.options().offline) {
    const fs::path& where = options_.local_dir.empty() ? options_.cache_dir : options_.local_dir;
    const Error offline(ErrorCode::kNotFound, fmt::format("{}: not complete in {}, and offline", wanted_.repo_id, where.string()),
                        "to allow downloads, unset HF_HUB_OFFLINE");
    return resolve_offline(offline);
  }
  HubLink::Lease lease(link_);
  HubApi api(lease.session(), link_.events().sleep);
  try {
    set_commit(is_commit(wanted_.revision) ? wanted_.revision : api.commit_of(wanted_));
    const std::optional<Tree> known = read_tree(place_->tree_folder(), commit_);
    tree_ = known ? *known : api.tree_of(wanted_, commit_);
    select(&api);
  } catch (const Error& problem) {
    if (problem.code() != ErrorCode::kNetwork) throw;
    resolve_offline(problem);
    note(fmt::format("{}; what is here is complete and used", problem.what()));
  }
}

// What is complete by the list of an earlier run needs no network.
void Downloader::resolve_offline(const Error& reason) {
  is_offline_ = true;
  const fs::path repo_folder = options_.cache_dir / folder_of_repo(wanted_.repo_id);
  const std::optional<std::string> commit = is_commit(wanted_.revision) ? wanted_.revision : read_cached_ref(repo_folder, wanted_.revision);
  if (!commit) throw reason;
  set_commit(*commit);
  const std::optional<Tree> known = read_tree(place_->tree_folder(), commit_);
  if (!known) throw reason;
  tree_ = *known;
  select(nullptr);
  const auto is_missing = [this](const TreeEntry& entry) { return place_->look(entry) == Presence::kMissing; };
  if (std::any_of(selected_.begin(), selected_.end(), is_missing)) throw reason;
}

void Downloader::set_commit(const std::string& commit) {
  commit_ = commit;
  place_ = options_.local_dir.empty() ? cache_place(options_.cache_dir, wanted_.repo_id, commit_)
                                      : local_place(options_.local_dir, options_.cache_dir, wanted_.repo_id, commit_);
}

void Downloader::select(HubApi* api) {
  const Patterns patterns{options_.include, options_.exclude};
  selected_ = select_files(tree_, patterns, patterns.include.empty() ? index_files(api) : std::vector<std::string>());
  if (patterns.include.empty() && patterns.exclude.empty()) check_convertible(selected_, tree_, wanted_.repo_id);
  if (selected_.empty()) note(fmt::format("{}: no file of revision {} matches", wanted_.repo_id, wanted_.revision));
}

// What the index names, read from wherever it is.
std::vector<std::string> Downloader::index_files(HubApi* api) {
  const auto index = std::find_if(tree_.begin(), tree_.end(), [](const TreeEntry& entry) { return entry.path == kWeightIndexFile; });
  if (index == tree_.end()) return {};
  if (place_->look(*index) == Presence::kThere) return read_weight_index(place_->folder() / kWeightIndexFile).files;
  if (api == nullptr) return {};
  const Wanted wanted{wanted_.repo_id, wanted_.revision, kWeightIndexFile};
  return parse_weight_index(api->text_of(wanted, commit_), fmt::format("{}: {}", wanted_.repo_id, kWeightIndexFile)).files;
}

void Downloader::look() {
  for (const TreeEntry& entry : selected_) {
    presence_.push_back(place_->look(entry));
    if (presence_.back() != Presence::kThere) {
      pending_.push_back(&entry);
    } else {
      done_bytes_ += entry.size_bytes;
    }
  }
}

uint64_t Downloader::missing_bytes() const {
  uint64_t total = 0;
  for (size_t i = 0; i < selected_.size(); ++i) {
    if (presence_[i] == Presence::kMissing)
      total += selected_[i].size_bytes - arrived_bytes_of(place_->partial_of(selected_[i]), selected_[i]);
  }
  return total;
}

void Downloader::check_space(std::vector<SpaceNeed> others) const {
  uint64_t needed = 0;
  for (size_t i = 0; i < selected_.size(); ++i) {
    const uint64_t size = selected_[i].size_bytes;
    if (presence_[i] == Presence::kMissing) needed += size - std::min(size, disk_usage(place_->partial_of(selected_[i])));
  }
  const char* const hint = others.empty() ? "free some space, or choose another disk with HF_HUB_CACHE or --local-dir"
                                          : "free some space, choose another disk with HF_HUB_CACHE, or convert with --stream";
  others.insert(others.begin(), {place_->folder(), needed});
  hf2mlx::check_space(others, hint);
}

void Downloader::write_listing() {
  if (is_offline_) return;
  try {
    if (!read_tree(place_->tree_folder(), commit_)) write_tree(place_->tree_folder(), commit_, tree_);
    write_cached_ref(options_.cache_dir / folder_of_repo(wanted_.repo_id), wanted_.revision, commit_);
  } catch (const Error&) {
    // A cache that may only be read serves as well, as long as all is there.
    if (!pending_.empty()) throw;
  }
}

// huggingface_hub may have finished what an earlier run began.
void Downloader::remove_leftovers() {
  for (size_t i = 0; i < selected_.size(); ++i) {
    const fs::path partial = place_->partial_of(selected_[i]);
    std::error_code ignored;
    if (presence_[i] != Presence::kThere || !fs::exists(partial, ignored)) continue;
    const FileLock lock(place_->lock_of(selected_[i]), [this] { link_.stop().sleep(kLockPause); });
    fs::remove(partial, ignored);
  }
}

void Downloader::fetch_all() {
  if (pending_.empty()) return;
  if (progress_) progress_->begin("downloading", size_of_all(selected_));
  advance(0);
  const uint64_t parts = pending_.size() + missing_bytes() / kLeastPartBytes;
  for_each_connection(link_, std::min(kMostConnections, parts), [this](size_t) { work(); });
  if (progress_) progress_->end();
}

void Downloader::work() {
  HubLink::Lease lease(link_);
  while (const std::shared_ptr<Transfer> transfer = begin_next()) {
    transfer->run(lease.session());
    end(transfer);
  }
  help_others(lease.session());
}

std::shared_ptr<Transfer> Downloader::begin_next() {
  const std::lock_guard lock(mutex_);
  if (next_ == pending_.size()) return nullptr;
  return active_.emplace_back(std::make_shared<Transfer>(link_.options(), *place_, wanted_, commit_, *pending_[next_++], events_));
}

void Downloader::end(const std::shared_ptr<Transfer>& transfer) {
  const std::lock_guard lock(mutex_);
  std::erase(active_, transfer);
}

// A connection without a file of its own brings parts of those that others are at.
void Downloader::help_others(Session& session) {
  constexpr std::chrono::milliseconds kPause{20};
  const auto active = [this] {
    const std::lock_guard lock(mutex_);
    return active_;
  };
  for (auto transfers = active(); !transfers.empty(); transfers = active()) {
    const bool helped = std::any_of(transfers.begin(), transfers.end(), [&](const auto& transfer) { return transfer->help(session); });
    if (!helped) link_.stop().sleep(kPause);
  }
}

TransferEvents Downloader::make_events() {
  return {.advanced = [this](int64_t bytes) { advance(bytes); },
          .received =
              [this](uint64_t bytes) {
                const std::lock_guard lock(mutex_);
                received_bytes_ += bytes;
              },
          .noted = [this](const std::string& line) { note(line); },
          .sleep = link_.events().sleep};
}

void Downloader::advance(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  done_bytes_ += static_cast<uint64_t>(bytes);
  if (progress_) progress_->advance(done_bytes_);
}

void Downloader::note(const std::string& line) {
  const std::lock_guard lock(mutex_);
  notes_.push_back(line);
  if (progress_) progress_->note(line);
}

DownloadReport Downloader::report() const {
  DownloadReport report{wanted_.repo_id, wanted_.revision, commit_, place_->folder(), {}, size_of_all(selected_),
                        received_bytes_, notes_,           0};
  if (options_.dry_run) report.received_bytes = missing_bytes();
  for (size_t i = 0; i < selected_.size(); ++i) {
    report.files.push_back({selected_[i].path, selected_[i].size_bytes, presence_[i] != Presence::kMissing});
  }
  return report;
}

}  // namespace hf2mlx
