// model.safetensors.index.json: which file holds which tensor.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace hf2mlx {

class OutputFile;

struct IndexEntry {
  std::string_view tensor;
  std::string_view shard;  // file name
};

// Writes the index with the tensors sorted by name, whatever the order of `entries`. Needs no memory but the order.
void write_index(OutputFile& out, uint64_t total_size_bytes, uint64_t total_parameters, std::span<const IndexEntry> entries);

}  // namespace hf2mlx
