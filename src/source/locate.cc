// From what a user calls a model to the folder it is in.
#include "source/locate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/system_error.h"
#include "source/download_metadata.h"
#include "source/hf_cache.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

Location from_entry(const CacheEntry& entry) {
  Location location = unlocated({entry.repo_id, entry.revision});
  location.folder = fs::canonical(entry.path);
  location.commit = entry.commit;
  return location;
}

Location in_cached_repo(const fs::path& repo_folder, const std::string& revision) {
  const Snapshot snapshot = find_snapshot(repo_folder, revision);
  Location location = from_entry(snapshot.entry);
  if (!snapshot.note.empty()) location.notes.push_back(snapshot.note);
  return location;
}

bool is_cached_repo(const fs::path& folder) {
  std::error_code error;
  return repo_id_from_folder(folder.filename().string()) && fs::is_directory(folder / "snapshots", error);
}

// As the user sees it: a link keeps its own name.
std::string name_of_folder(const fs::path& model, const fs::path& canonical) {
  fs::path path = fs::absolute(model).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.has_filename() ? path.filename().string() : canonical.filename().string();
}

Location in_folder(const fs::path& model, const std::string& revision) {
  const fs::path folder = fs::canonical(model);
  if (is_cached_repo(folder)) return in_cached_repo(folder, revision);
  Location location;
  const auto repo_id = repo_id_from_folder(folder.parent_path().parent_path().filename().string());
  if (repo_id && folder.parent_path().filename() == "snapshots") {
    location = from_entry({*repo_id, {}, folder.filename().string(), folder});
  } else {
    location.folder = folder;
    location.name = name_of_folder(model, folder);
    location.commit = commit_of_folder(folder);
  }
  if (!revision.empty()) location.notes.push_back(fmt::format("the revision {} does not count: {} is a folder", revision, model.string()));
  return location;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// A cached repository whose name, or whose name without its organisation, is this one but for case.
std::string similar_repo(const std::string& repo_id, const fs::path& cache_dir) {
  const std::string wanted = lower(repo_id);
  for (const CacheEntry& entry : list_cache(cache_dir)) {
    const std::string found = lower(entry.repo_id);
    if (found == wanted || found.ends_with("/" + wanted)) return entry.repo_id;
  }
  return {};
}

std::string hint_for_missing(const std::string& repo_id, const SourceOptions& options) {
  const std::string similar = similar_repo(repo_id, options.cache_dir);
  if (!similar.empty()) return fmt::format("did you mean {}?", similar);
  if (options.hub.offline) return "to download it, unset HF_HUB_OFFLINE; or name the folder it is in";
  return fmt::format("hf2mlx download {} brings it here; or name the folder it is in", repo_id);
}

Location in_cache(const std::string& repo_id, const std::string& revision, const SourceOptions& options) {
  const fs::path repo_folder = options.cache_dir / folder_of_repo(repo_id);
  std::error_code error;
  if (fs::is_directory(repo_folder, error)) return in_cached_repo(repo_folder, revision);
  const char* const offline = options.hub.offline ? ", and offline" : "";
  throw Error(ErrorCode::kNotFound,
              fmt::format("{}: no such folder, and not in the cache {}{}", repo_id, options.cache_dir.string(), offline),
              hint_for_missing(repo_id, options));
}

[[noreturn]] void refuse_file(const std::string& model) {
  throw Error(ErrorCode::kUsage, model + ": is a file, expected the folder of a model",
              lower(model).ends_with(".gguf") ? "GGUF files cannot be converted; use the original model, which is in safetensors format"
                                              : "name the folder that holds config.json and the weights");
}

}  // namespace

Location locate_model(const SourceOptions& options) {
  if (options.model.empty()) throw Error(ErrorCode::kUsage, "no model is named", "name a folder, or org/name in the cache");
  std::error_code error;
  const fs::path path(options.model);
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) return in_folder(path, options.revision);
  if (fs::exists(status)) refuse_file(options.model);
  const bool is_missing = status.type() == fs::file_type::not_found || error == std::errc::filename_too_long;
  if (!is_missing) throw_if(error, options.model + ": cannot be opened");
  if (fs::is_symlink(fs::symlink_status(path, error))) {
    throw Error(ErrorCode::kNotFound, options.model + ": is a symbolic link that leads nowhere");
  }
  const auto [repo_id, revision] = split_repo_name(options.model, options.revision);
  if (is_repo_id(repo_id) && !options.cache_dir.empty()) return in_cache(repo_id, revision, options);
  throw Error(ErrorCode::kNotFound, options.model + ": no such folder", "name a folder, or org/name in the cache");
}

RepoName split_repo_name(const std::string& text, const std::string& revision) {
  const size_t at = text.rfind('@');
  if (at == text.npos) return {text, revision};
  const std::string inner = text.substr(at + 1);
  if (!revision.empty() && revision != inner) {
    throw Error(ErrorCode::kUsage, fmt::format("{}: another revision, {}, is given as well", text, revision));
  }
  return {text.substr(0, at), inner};
}

std::optional<RepoName> repo_of_model(const SourceOptions& options) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(options.model, error))) return std::nullopt;
  RepoName repo = split_repo_name(options.model, options.revision);
  if (!is_repo_id(repo.repo_id) || repo.repo_id.find('/') == std::string::npos) return std::nullopt;
  return repo;
}

Location unlocated(const RepoName& repo) {
  Location location;
  location.repo_id = repo.repo_id;
  const size_t slash = repo.repo_id.find('/');
  location.name = slash == std::string::npos ? repo.repo_id : repo.repo_id.substr(slash + 1);
  location.organisation = slash == std::string::npos ? "" : repo.repo_id.substr(0, slash);
  return location;
}

}  // namespace hf2mlx
