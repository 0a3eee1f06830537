// See uploader.h.
#include "hub/uploader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "base/system_error.h"
#include "base/text_file.h"
#include "hub/content.h"
#include "hub/hub_api.h"
#include "hub/partial_file.h"
#include "io/digest.h"
#include "io/file_posix.h"
#include "source/hf_cache.h"
#include "source/weight_names.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSampleBytes = 512;
constexpr uint64_t kMaxSmallFileBytes = 64 << 20;
constexpr const char* kDefaultMessage = "Upload with hf2mlx";

Wanted parse_wanted(const UploadOptions& options) {
  if (is_repo_id(options.repo) && options.repo.find('/') != std::string::npos) return {options.repo, "main", "", Access::kWrite};
  throw Error(ErrorCode::kUsage, fmt::format("'{}' cannot be the name of a repository", options.repo), "expected org/name");
}

// What version control, caches and file managers leave behind.
bool is_left_out(const fs::path& name) { return name == ".git" || name == ".cache" || name == ".DS_Store"; }

std::string beginning_of(const fs::path& file, uint64_t size_bytes) {
  std::string text(std::min(size_bytes, kSampleBytes), '\0');
  if (!text.empty()) open_reader(file)->read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

Json operation(const char* key, Json value) { return {{"key", key}, {"value", std::move(value)}}; }

}  // namespace

void check_upload(const UploadOptions& options) {
  const Wanted wanted = parse_wanted(options);
  if (options.hub.offline) {
    throw Error(ErrorCode::kNetwork, fmt::format("{}: cannot be uploaded to while offline", wanted.repo_id), "unset HF_HUB_OFFLINE");
  }
  if (!options.hub.token.empty()) return;
  throw Error(
      ErrorCode::kAuth, fmt::format("{}: uploading needs a token", wanted.repo_id),
      fmt::format("make one that may write at {}/settings/tokens and set HF_TOKEN, or log in with hf auth login", options.hub.endpoint));
}

Uploader::Uploader(UploadOptions options, ConnectionFactory connect, Progress* progress, const CancelToken* cancel)
    : options_(std::move(options)), progress_(progress), wanted_(parse_wanted(options_)), link_(options_.hub, std::move(connect), cancel) {}

UploadReport Uploader::run() {
  check_upload(options_);
  list_files();
  // 1. What the repository has, and how it keeps what the folder has. 2. The checksums tell what is new.
  look();
  hash();
  // 3. Large files go to the storage first. 4. One commit makes them and the small ones part of the repository.
  send_large_files();
  commit();
  return report();
}

void Uploader::list_files() {
  std::error_code error;
  fs::recursive_directory_iterator at(options_.folder, fs::directory_options::follow_directory_symlink, error);
  throw_if(error, options_.folder.string() + ": cannot be read");
  for (; at != fs::recursive_directory_iterator(); at.increment(error)) {
    throw_if(error, options_.folder.string() + ": cannot be read");
    if (is_left_out(at->path().filename())) {
      if (at->is_directory()) at.disable_recursion_pending();
      continue;
    }
    if (!at->is_regular_file()) continue;
    Item item;
    item.file = at->path();
    item.entry.path = at->path().lexically_relative(options_.folder).generic_string();
    item.entry.size_bytes = at->file_size();
    items_.push_back(std::move(item));
  }
  std::sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) { return a.entry.path < b.entry.path; });
  if (items_.empty()) throw Error(ErrorCode::kNotFound, options_.folder.string() + ": found no file to upload", "name a model folder");
}

void Uploader::look() {
  HubLink::Lease lease(link_);
  UploadApi api(lease.session(), wanted_, link_.events().sleep);
  const std::optional<Error> refused = api.create();
  HubApi hub(lease.session(), link_.events().sleep);
  try {
    commit_ = hub.commit_of(wanted_);
  } catch (const Error& error) {
    if (refused && error.code() == ErrorCode::kNotFound) throw *refused;
    throw;
  }
  remote_ = hub.tree_of(wanted_, commit_);
  ask_for_storage(api);
}

void Uploader::ask_for_storage(UploadApi& api) {
  std::vector<PathSample> samples;
  for (const Item& item : items_)
    samples.push_back({item.entry.path, item.entry.size_bytes, beginning_of(item.file, item.entry.size_bytes)});
  const std::vector<Storage> storage = api.storage_of(samples);
  for (size_t i = 0; i < items_.size(); ++i) items_[i].storage = storage[i];
}

void Uploader::hash() {
  uint64_t total_bytes = 0;
  for (const Item& item : items_) total_bytes += item.entry.size_bytes;
  if (progress_) progress_->begin("computing checksums", total_bytes);
  done_bytes_ = 0;
  for (Item& item : items_) {
    (item.storage == Storage::kLarge ? item.entry.sha256 : item.entry.blob_id) = digest_of_item(item);
    item.was_there = std::any_of(remote_.begin(), remote_.end(), [&](const TreeEntry& there) {
      return there.path == item.entry.path && there.etag() == item.entry.etag();
    });
  }
  if (progress_) progress_->end();
}

std::string Uploader::digest_of_item(const Item& item) {
  const bool is_large = item.storage == Storage::kLarge;
  const auto known = options_.sha256.find(item.entry.path);
  if (is_large && known != options_.sha256.end()) {
    advance(item.entry.size_bytes);
    return known->second;
  }
  Digest digest = is_large ? Digest(Hash::kSha256) : begin_git_digest(item.entry.size_bytes);
  return digest_of(std::move(digest), *open_reader(item.file), [this](uint64_t bytes) {
    link_.stop().check();
    advance(bytes);
  });
}

// Loaders take every model*.safetensors of a folder, so those of an earlier model must go.
std::vector<std::string> Uploader::stale_weights() const {
  std::vector<std::string> stale;
  for (const TreeEntry& there : remote_) {
    const bool is_weight = is_mlx_weight_file(there.path) || there.path == kWeightIndexFile;
    const bool is_ours = std::any_of(items_.begin(), items_.end(), [&](const Item& item) { return item.entry.path == there.path; });
    if (is_weight && !is_ours) stale.push_back(there.path);
  }
  return stale;
}

void Uploader::send_large_files() {
  uint64_t total_bytes = 0;
  for (const Item& item : items_) total_bytes += item.storage == Storage::kLarge && !item.was_there ? item.entry.size_bytes : 0;
  if (total_bytes == 0) return;
  if (progress_) progress_->begin("uploading", total_bytes);
  done_bytes_ = 0;
  for (const Item& item : items_) {
    if (item.storage == Storage::kLarge && !item.was_there) send_large(item);
  }
  if (progress_) progress_->end();
}

void Uploader::send_large(const Item& item) {
  const LargeFileTarget target = ask([&](UploadApi& api) { return api.target_of(item.entry.sha256, item.entry.size_bytes); });
  if (target.is_there) return advance(item.entry.size_bytes);
  send_content(item, target);
  ask([&](UploadApi& api) { api.verify(target, item.entry.sha256, item.entry.size_bytes); });
  sent_bytes_ += item.entry.size_bytes;
}

void Uploader::send_content(const Item& item, const LargeFileTarget& target) {
  const std::unique_ptr<Reader> file = open_reader(item.file);
  if (target.parts.empty()) {
    const PartContent all(*file, 0, file->size(), [this](uint64_t bytes) { advance(bytes); });
    ask([&](UploadApi& api) { api.put(target.url, all); });
  } else {
    const std::vector<std::string> etags = send_parts(*file, target);
    ask([&](UploadApi& api) { api.complete(target, item.entry.sha256, etags); });
  }
}

std::vector<std::string> Uploader::send_parts(const Reader& file, const LargeFileTarget& target) {
  std::vector<std::string> etags(target.parts.size());
  for_each_connection(link_, etags.size(), [&](size_t i) {
    const uint64_t begin = i * target.part_bytes;
    const PartContent part(file, begin, std::min(target.part_bytes, file.size() - begin), [this](uint64_t bytes) { advance(bytes); });
    etags[i] = ask([&](UploadApi& api) { return api.put(target.parts[i], part); });
  });
  return etags;
}

void Uploader::commit() {
  std::vector<Json> operations;
  for (const std::string& path : stale_weights()) operations.push_back(operation("deletedFile", {{"path", path}}));
  for (const Item& item : items_) {
    const TreeEntry& entry = item.entry;
    if (item.was_there) continue;
    if (item.storage == Storage::kLarge) {
      operations.push_back(
          operation("lfsFile", {{"path", entry.path}, {"algo", "sha256"}, {"oid", entry.sha256}, {"size", entry.size_bytes}}));
    } else {
      const std::string content = encode_base64(read_text_file(item.file, kMaxSmallFileBytes));
      operations.push_back(operation("file", {{"path", entry.path}, {"encoding", "base64"}, {"content", content}}));
    }
  }
  if (operations.empty()) return;
  const std::string message = options_.message.empty() ? kDefaultMessage : options_.message;
  commit_ = ask([&](UploadApi& api) { return api.commit(message, operations); });
}

void Uploader::advance(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  done_bytes_ += bytes;
  if (progress_) progress_->advance(done_bytes_);
}

UploadReport Uploader::report() const {
  UploadReport report;
  report.repo_id = wanted_.repo_id;
  report.commit = commit_;
  report.url = fmt::format("{}/{}", options_.hub.endpoint, wanted_.repo_id);
  report.removed = stale_weights();
  report.sent_bytes = sent_bytes_;
  for (const Item& item : items_) {
    report.files.push_back({item.entry.path, item.entry.size_bytes, item.was_there});
    report.total_bytes += item.entry.size_bytes;
  }
  return report;
}

}  // namespace hf2mlx
