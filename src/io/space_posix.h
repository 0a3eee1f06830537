// Whether what is about to be written will fit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace hf2mlx {

// What an ordinary user may still write to the disk that holds, or will hold, `path`.
uint64_t free_space(const std::filesystem::path& path);

struct SpaceNeed {
  std::filesystem::path path;  // need not exist
  uint64_t bytes = 0;
};

// Error{kNoSpace} with that hint where a disk has less free than all that is needed on it.
void check_space(const std::vector<SpaceNeed>& needs, const std::string& hint);

}  // namespace hf2mlx
