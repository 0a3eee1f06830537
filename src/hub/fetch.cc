// See fetch.h.
#include "hub/fetch.h"

#include <fmt/format.h>

#include <algorithm>

#include "hub/http_curl.h"
#include "hub/selection.h"
#include "source/hf_cache.h"
#include "source/locate.h"
#include "source/weight_index.h"
#include "source/weight_names.h"
#include "source/weight_selection.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

enum class Cached {
  kComplete,
  kUsable,  // files are missing, but weights and configuration are there
  kNo,
};

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

bool is_usable(const fs::path& snapshot) {
  try {
    select_weight_files(FolderFiles(snapshot));
    return is_there(snapshot / "config.json");
  } catch (const Error&) {
    return false;
  }
}

// By the list of files that was kept with it; without one (of an older huggingface_hub) nothing tells that any is missing.
bool is_complete(const CacheEntry& entry, const fs::path& repo_folder) {
  const std::optional<Tree> tree = read_tree(repo_folder, entry.commit);
  if (!tree) return true;
  const fs::path index = entry.path / kWeightIndexFile;
  const Tree needed = select_files(*tree, {}, is_there(index) ? read_weight_index(index).files : std::vector<std::string>());
  return std::all_of(needed.begin(), needed.end(), [&](const TreeEntry& file) { return is_there(entry.path / file.path); });
}

Cached look_in_cache(const SourceOptions& source, const RepoName& repo) {
  const fs::path repo_folder = source.cache_dir / folder_of_repo(repo.repo_id);
  try {
    const Snapshot snapshot = find_snapshot(repo_folder, repo.revision);
    if (!is_usable(snapshot.entry.path)) return Cached::kNo;
    return is_complete(snapshot.entry, repo_folder) ? Cached::kComplete : Cached::kUsable;
  } catch (const Error& problem) {
    if (problem.code() != ErrorCode::kNotFound) throw;
    return Cached::kNo;
  }
}

void use_as_it_is(const RepoName& repo, const std::string& why, Progress* progress) {
  if (progress) progress->note(fmt::format("{}: files are missing in the cache, which is used as it is: {}", repo.repo_id, why));
}

}  // namespace

void fetch_model(const SourceOptions& source, const std::vector<SpaceNeed>& others, const ConnectionFactory& connect, Progress* progress,
                 const CancelToken* cancel) {
  if (source.hub.endpoint.empty() || source.cache_dir.empty()) return;
  const std::optional<RepoName> repo = repo_of_model(source);
  if (!repo) return;
  const Cached cached = look_in_cache(source, *repo);
  if (cached == Cached::kComplete) return;
  if (source.hub.offline) {
    if (cached == Cached::kUsable) use_as_it_is(*repo, "offline", progress);
    return;  // that it is not there is what opening it will say
  }
  DownloadOptions options;
  options.repo = repo->repo_id;
  options.revision = repo->revision;
  options.cache_dir = source.cache_dir;
  HubLink link(source.hub, connect, cancel);
  try {
    Downloader(options, link, progress).run(others);
  } catch (const Error& problem) {
    if (cached != Cached::kUsable || problem.code() != ErrorCode::kNetwork) throw;
    use_as_it_is(*repo, problem.what(), progress);
  }
}

bool is_in_cache(const SourceOptions& source, const RepoName& repo) {
  return !source.cache_dir.empty() && look_in_cache(source, repo) != Cached::kNo;
}

void fetch_model(const SourceOptions& source, const std::vector<SpaceNeed>& others, Progress* progress, const CancelToken* cancel) {
  fetch_model(source, others, curl_connections(source.hub), progress, cancel);
}

}  // namespace hf2mlx
