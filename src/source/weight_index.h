// model.safetensors.index.json: which file holds which tensor.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace hf2mlx {

inline constexpr uint64_t kMaxIndexBytes = 256ull << 20;

struct WeightIndex {
  struct Entry {
    std::string tensor;
    uint32_t file;  // position in `files`
  };
  std::vector<std::string> files;  // sorted; relative, with '/', never leading out of the folder
  std::vector<Entry> entries;      // sorted by tensor
};

// Error{kCorrupt} when it is no such index or names a file outside its folder.
WeightIndex parse_weight_index(std::string_view text, const std::string& where);
WeightIndex read_weight_index(const std::filesystem::path& path);

}  // namespace hf2mlx
