// The Hugging Face hub cache on disk: models--org--name/{refs/<revision>, snapshots/<commit>/..., blobs/...}. Read only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hf2mlx {

// One snapshot of one repository.
struct CacheEntry {
  std::string repo_id;   // "Qwen/Qwen3-8B"
  std::string revision;  // the branch or tag that leads to it ("main" where several do), or empty
  std::string commit;
  std::filesystem::path path;  // of the snapshot
};

// Every snapshot of every model, sorted by repository, "main" first. Empty when there is no such folder.
std::vector<CacheEntry> list_cache(const std::filesystem::path& cache_dir);

// "models--Qwen--Qwen3-8B" is "Qwen/Qwen3-8B"; nothing for other names.
std::optional<std::string> repo_id_from_folder(std::string_view folder_name);
std::string folder_of_repo(std::string_view repo_id);

// Whether `text` can be the name of a repository: "name" or "org/name".
bool is_repo_id(std::string_view text);

// Error{kUsage} for a revision that would lead out of the cache.
void check_revision(const std::string& revision);

struct Snapshot {
  CacheEntry entry;
  std::string note;  // what the user should know, or empty
};

// The snapshot of a branch, a tag, or a commit that may be shortened as far as it stays unique. Without a revision it is that of main;
// where main is not known, the only snapshot there is. Never one among several: Error{kNotFound} names the choices.
Snapshot find_snapshot(const std::filesystem::path& repo_folder, const std::string& revision);

}  // namespace hf2mlx
