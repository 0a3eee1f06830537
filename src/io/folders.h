// What is in a folder, and where there is one.
#pragma once

#include <filesystem>
#include <vector>

namespace hf2mlx {

// The folders in it, links to folders included, sorted by name. A folder that cannot be read, or is none, has none.
std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);

// The part of a path that exists: itself, or the nearest of those above it.
std::filesystem::path existing_part(const std::filesystem::path& path);

}  // namespace hf2mlx
