// The Hugging Face hub cache on disk.
#include "source/hf_cache.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "base/system_error.h"
#include "base/text_file.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "models--";
constexpr std::string_view kSeparator = "--";  // of organisation and name
constexpr uint64_t kMaxRefBytes = 4096;
constexpr size_t kMinPrefix = 4;  // of a shortened commit, as in Git
constexpr const char* kDownloadHint = "download the model again";

std::string replace_first(std::string_view text, std::string_view from, std::string_view to) {
  const size_t found = text.find(from);
  if (found == text.npos) return std::string(text);
  return fmt::format("{}{}{}", text.substr(0, found), to, text.substr(found + from.size()));
}

bool is_hex(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789abcdef") == text.npos; }

bool is_repo_part(std::string_view part) {
  constexpr const char* kAllowed = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.";
  return !part.empty() && part != "." && part != ".." && part.find_first_not_of(kAllowed) == part.npos &&
         part.find(kSeparator) == part.npos;
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  if (!fs::is_directory(folder, error)) return found;
  fs::directory_iterator entry(folder, error);
  throw_if(error, folder.string() + ": cannot be read");
  for (; entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

// What a file below refs/ says; Error{kCorrupt} when that is no commit, which also keeps it from leading elsewhere.
std::string read_ref(const fs::path& file) {
  std::string text = read_text_file(file, kMaxRefBytes);
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  if (!is_hex(text)) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: found no commit, expected hexadecimal digits", file.string()), kDownloadHint);
  }
  return text;
}

// Revision → commit. A ref that cannot be read is left out: it matters only to who asks for it.
std::map<std::string, std::string> all_refs(const fs::path& repo_folder) {
  std::map<std::string, std::string> refs;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(repo_folder / "refs", error), end; !error && entry != end; entry.increment(error)) {
    try {
      if (entry->is_regular_file()) refs[entry->path().lexically_relative(repo_folder / "refs").generic_string()] = read_ref(entry->path());
    } catch (const std::runtime_error&) {
      continue;
    }
  }
  return refs;
}

std::string revision_of(const std::string& commit, const std::map<std::string, std::string>& refs) {
  if (const auto main = refs.find("main"); main != refs.end() && main->second == commit) return "main";
  const auto found = std::find_if(refs.begin(), refs.end(), [&](const auto& ref) { return ref.second == commit; });
  return found == refs.end() ? "" : found->first;
}

std::vector<CacheEntry> snapshots_of(const fs::path& repo_folder) {
  std::vector<CacheEntry> entries;
  const std::string repo_id = repo_id_from_folder(repo_folder.filename().string()).value_or("");
  const std::map<std::string, std::string> refs = all_refs(repo_folder);
  for (const fs::path& snapshot : folders_in(repo_folder / "snapshots")) {
    const std::string commit = snapshot.filename().string();
    entries.push_back({repo_id, revision_of(commit, refs), commit, snapshot});
  }
  const auto key = [](const CacheEntry& entry) { return std::tuple(entry.revision != "main", entry.revision.empty(), entry.revision); };
  std::stable_sort(entries.begin(), entries.end(), [&](const CacheEntry& a, const CacheEntry& b) { return key(a) < key(b); });
  return entries;
}

std::string describe(const std::vector<CacheEntry>& entries) {
  std::vector<std::string> words;
  for (const CacheEntry& entry : entries) {
    words.push_back(entry.revision.empty() ? entry.commit : fmt::format("{} ({})", entry.commit, entry.revision));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

Snapshot by_commit(const std::vector<CacheEntry>& entries, const std::string& repo_id, const std::string& commit) {
  std::vector<CacheEntry> matches;
  for (const CacheEntry& entry : entries) {
    if (entry.commit == commit) return {entry, {}};
    if (commit.size() >= kMinPrefix && entry.commit.starts_with(commit)) matches.push_back(entry);
  }
  if (matches.size() == 1) return {matches.front(), {}};
  if (matches.empty()) {
    throw Error(ErrorCode::kNotFound, fmt::format("{}: no revision {} in the cache, found {}", repo_id, commit, describe(entries)),
                "name one of these as the revision, or download the one you want");
  }
  throw Error(ErrorCode::kNotFound, fmt::format("{}: revision {} is not unique, found {}", repo_id, commit, describe(matches)),
              "name more digits of the commit");
}

Snapshot by_ref(const std::vector<CacheEntry>& entries, const std::string& repo_id, const std::string& revision,
                const std::string& commit) {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const CacheEntry& entry) { return entry.commit == commit; });
  if (found == entries.end()) {
    throw Error(
        ErrorCode::kNotFound,
        fmt::format("{}: revision {} is commit {}, which is not in the cache, found {}", repo_id, revision, commit, describe(entries)),
        kDownloadHint);
  }
  Snapshot snapshot{*found, {}};
  snapshot.entry.revision = revision;
  return snapshot;
}

Snapshot the_only_one(const std::vector<CacheEntry>& entries, const std::string& repo_id) {
  if (entries.size() > 1) {
    throw Error(ErrorCode::kNotFound, fmt::format("{}: the cache does not say which commit main is, found {}", repo_id, describe(entries)),
                "name one of these as the revision");
  }
  return {entries.front(),
          fmt::format("the cache does not say which commit main is; the only snapshot, {}, is used", entries.front().commit)};
}

}  // namespace

std::vector<CacheEntry> list_cache(const fs::path& cache_dir) {
  std::vector<std::pair<std::string, fs::path>> repos;
  for (const fs::path& folder : folders_in(cache_dir)) {
    if (const auto repo_id = repo_id_from_folder(folder.filename().string())) repos.emplace_back(*repo_id, folder);
  }
  std::sort(repos.begin(), repos.end());
  std::vector<CacheEntry> entries;
  for (const auto& [repo_id, folder] : repos) {
    std::vector<CacheEntry> snapshots = snapshots_of(folder);
    std::move(snapshots.begin(), snapshots.end(), std::back_inserter(entries));
  }
  return entries;
}

std::optional<std::string> repo_id_from_folder(std::string_view folder_name) {
  if (!folder_name.starts_with(kPrefix)) return std::nullopt;
  std::string repo_id = replace_first(folder_name.substr(kPrefix.size()), kSeparator, "/");
  if (!is_repo_id(repo_id)) return std::nullopt;
  return repo_id;
}

std::string folder_of_repo(std::string_view repo_id) { return std::string(kPrefix) + replace_first(repo_id, "/", kSeparator); }

bool is_repo_id(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return is_repo_part(text);
  return is_repo_part(text.substr(0, slash)) && is_repo_part(text.substr(slash + 1));
}

void check_revision(const std::string& revision) {
  const fs::path path(revision);
  const bool leads_out = path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end();
  if (leads_out || revision.find('\0') != revision.npos) {
    throw Error(ErrorCode::kUsage, fmt::format("revision {}: expected a branch, a tag or a commit", revision));
  }
}

Snapshot find_snapshot(const fs::path& repo_folder, const std::string& revision) {
  check_revision(revision);
  const std::string repo_id = repo_id_from_folder(repo_folder.filename().string()).value_or(repo_folder.string());
  const std::vector<CacheEntry> entries = snapshots_of(repo_folder);
  if (entries.empty()) {
    throw Error(ErrorCode::kNotFound, fmt::format("{}: no snapshot in {}", repo_id, repo_folder.string()),
                "its download has not finished; download the model again");
  }
  const std::string wanted = revision.empty() ? "main" : revision;
  std::error_code error;
  if (fs::is_regular_file(repo_folder / "refs" / wanted, error)) {
    return by_ref(entries, repo_id, wanted, read_ref(repo_folder / "refs" / wanted));
  }
  return revision.empty() ? the_only_one(entries, repo_id) : by_commit(entries, repo_id, revision);
}

}  // namespace hf2mlx
