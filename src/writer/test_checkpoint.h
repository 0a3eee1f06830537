// For tests: a checkpoint made of the files in a folder.
#pragma once

#include <algorithm>
#include <filesystem>

#include "base/temp_folder.h"
#include "source/checkpoint.h"

namespace hf2mlx {

inline Checkpoint checkpoint_of(const TempFolder& folder) {
  Checkpoint out;
  out.folder = folder.path();
  out.name = "Qwen3-8B";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!entry.is_regular_file()) continue;
    out.side_files.push_back({std::filesystem::relative(entry.path(), folder.path()).generic_string(), entry.path(), entry.file_size()});
  }
  const auto by_path = [](const SideFile& a, const SideFile& b) { return a.relative_path < b.relative_path; };
  std::sort(out.side_files.begin(), out.side_files.end(), by_path);
  return out;
}

}  // namespace hf2mlx
