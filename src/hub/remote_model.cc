// See remote_model.h.
#include "hub/remote_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "hub/fetch.h"
#include "hub/http_curl.h"
#include "hub/hub_api.h"
#include "hub/partial_file.h"
#include "hub/place.h"
#include "hub/selection.h"
#include "source/hf_cache.h"
#include "source/side_files.h"
#include "source/weight_index.h"
#include "source/weight_names.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

// A header takes about 120 bytes a tensor; 400 tensors are many for a model in one file.
constexpr uint64_t kHeaderOfOneFileBytes = 64 << 10;
constexpr uint64_t kLeastHeaderBytes = 16 << 10;
constexpr uint64_t kMostHeaderBytes = 1 << 20;

Wanted wanted_of(const RepoName& repo) {
  check_revision(repo.revision);
  return {repo.repo_id, repo.revision.empty() ? "main" : repo.revision, ""};
}

std::string content_digest(const TreeEntry& entry, const std::string& text) {
  Digest digest = begin_digest_of(entry);
  digest.update(std::as_bytes(std::span(text)));
  return digest.finish();
}

// A pattern that this path matches.
std::string pattern_of(std::string path) {
  std::replace_if(
      path.begin(), path.end(), [](char c) { return c == '*' || c == '['; }, '?');
  return path;
}

}  // namespace

RemoteModel::RemoteModel(const SourceOptions& source, const RepoName& repo, ConnectionFactory connect, const CancelToken* cancel)
    : wanted_(wanted_of(repo)), place_(repo.repo_id), link_(source.hub, std::move(connect), cancel) {
  HubLink::Lease lease(link_);
  HubApi api(lease.session(), link_.events().sleep);
  commit_ = is_commit(wanted_.revision) ? wanted_.revision : api.commit_of(wanted_);
  tree_ = api.tree_of(wanted_, commit_);
  check_selection();
}

void RemoteModel::check_selection() const {
  std::vector<std::string> index_files;
  if (has(kWeightIndexFile)) {
    const std::string text = read_text(kWeightIndexFile, kMaxIndexBytes);
    index_files = parse_weight_index(text, (place_ / kWeightIndexFile).string()).files;
  }
  check_convertible(select_files(tree_, {}, index_files), tree_, wanted_.repo_id);
}

Location RemoteModel::location() const {
  Location location = unlocated({wanted_.repo_id, wanted_.revision});
  location.commit = commit_;
  return location;
}

const TreeEntry* RemoteModel::find(const std::string& path) const {
  const auto at = std::find_if(tree_.begin(), tree_.end(), [&](const TreeEntry& entry) { return entry.path == path; });
  return at == tree_.end() ? nullptr : &*at;
}

std::vector<std::string> RemoteModel::top_level_names() const {
  std::vector<std::string> names;
  for (const TreeEntry& entry : tree_) {
    if (entry.path.find('/') == std::string::npos) names.push_back(entry.path);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool RemoteModel::has(const std::string& name) const { return find(name) != nullptr; }

std::string RemoteModel::read_text(const std::string& name, uint64_t max_bytes) const {
  const TreeEntry* entry = find(name);
  const std::string where = (place_ / name).string();
  if (entry == nullptr) throw Error(ErrorCode::kNotFound, where + ": no such file in the repository");
  if (entry->size_bytes > max_bytes) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: {} bytes, expected at most {}", where, entry->size_bytes, max_bytes));
  }
  HubLink::Lease lease(link_);
  std::string text = HubApi(lease.session(), link_.events().sleep).text_of({wanted_.repo_id, wanted_.revision, name}, commit_);
  if (text.size() == entry->size_bytes && content_digest(*entry, text) == entry->etag()) return text;
  throw Error(ErrorCode::kCorrupt, fmt::format("{}: the checksum is wrong: expected {}", where, entry->etag()),
              "check the proxy, or try again later");
}

// The index names the same tensors, at about the same length.
uint64_t RemoteModel::expected_header_bytes(size_t files) const {
  const TreeEntry* index = find(kWeightIndexFile);
  if (index == nullptr || files < 2) return kHeaderOfOneFileBytes;
  return std::clamp(index->size_bytes * 2 / files, kLeastHeaderBytes, kMostHeaderBytes);
}

std::vector<std::shared_ptr<const Reader>> RemoteModel::open(const std::vector<std::string>& names) const {
  weights_.clear();
  for (const std::string& name : names) weights_.push_back(std::make_shared<RemoteFile>(link_, wanted_, commit_, *find(name)));
  const uint64_t first_bytes = expected_header_bytes(names.size());
  for_each_connection(link_, names.size(), [&](size_t i) { weights_[i]->fetch_first(first_bytes); });
  return {weights_.begin(), weights_.end()};
}

std::vector<SideFile> RemoteModel::side_files(std::vector<std::string>&) const {
  std::vector<SideFile> files;
  for (const TreeEntry& entry : tree_) {
    if (is_side_file(entry.path)) files.push_back({entry.path, {}, entry.size_bytes});
  }
  return files;
}

void RemoteModel::fetch_side_files(const fs::path& folder, Progress* progress) {
  DownloadOptions options;
  options.repo = wanted_.repo_id;
  options.revision = commit_;
  options.local_dir = folder;
  options.cache_dir = folder / ".cache" / "hub";  // nothing of this is for the user's
  for (const TreeEntry& entry : tree_) {
    if (is_side_file(entry.path)) options.include.push_back(pattern_of(entry.path));
  }
  for (const auto& file : weights_) {
    if (file->entry().sha256.empty()) options.include.push_back(pattern_of(file->entry().path));
  }
  if (options.include.empty()) return;
  const std::unique_ptr<Place> place = local_place(folder, options.cache_dir, wanted_.repo_id, commit_);
  if (!read_tree(place->tree_folder(), commit_)) write_tree(place->tree_folder(), commit_, tree_);
  Downloader(options, link_, progress).run();
}

std::unique_ptr<RemoteModel> find_remote_model(const SourceOptions& source, const ConnectionFactory& connect, const CancelToken* cancel) {
  if (source.hub.endpoint.empty() || source.hub.offline) return nullptr;
  const std::optional<RepoName> repo = repo_of_model(source);
  if (!repo || is_in_cache(source, *repo)) return nullptr;
  return std::make_unique<RemoteModel>(source, *repo, connect, cancel);
}

std::unique_ptr<RemoteModel> find_remote_model(const SourceOptions& source, const CancelToken* cancel) {
  return find_remote_model(source, curl_connections(source.hub), cancel);
}

}  // namespace hf2mlx
