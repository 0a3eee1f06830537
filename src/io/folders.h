// What is in a folder.
#pragma once

#include <filesystem>
#include <vector>

namespace hf2mlx {

// The folders in it, links to folders included, sorted by name. A folder that cannot be read, or is none, has none.
std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);

}  // namespace hf2mlx
