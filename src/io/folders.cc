// See folders.h.
#include "io/folders.h"

#include <algorithm>

namespace hf2mlx {

std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> folders;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) folders.push_back(entry->path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::filesystem::path existing_part(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path existing = std::filesystem::absolute(path, error);
  while (existing.has_relative_path() && !std::filesystem::exists(existing, error)) existing = existing.parent_path();
  return existing;
}

}  // namespace hf2mlx
