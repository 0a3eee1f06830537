// What all places share. See place.h.
#include "hub/place.h"

#include "base/text_file.h"
#include "hf2mlx/error.h"

namespace hf2mlx {

namespace fs = std::filesystem;

std::optional<std::string> read_cached_ref(const fs::path& repo_folder, const std::string& revision) {
  constexpr uint64_t kMaxRefBytes = 4096;
  const fs::path file = repo_folder / "refs" / revision;
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return std::nullopt;
  const std::string commit = read_text_file(file, kMaxRefBytes);
  if (!is_commit(commit)) return std::nullopt;
  return commit;
}

void write_cached_ref(const fs::path& repo_folder, const std::string& revision, const std::string& commit) {
  if (revision == commit || read_cached_ref(repo_folder, revision) == commit) return;
  replace_file(repo_folder / "refs" / revision, commit);
}

}  // namespace hf2mlx
