// The safetensors format: reading and laying out headers, never data. https://github.com/huggingface/safetensors#format
//
//   8 bytes   length n of the header, little-endian
//   n bytes   JSON: {"__metadata__": {text: text}, NAME: {"dtype": "BF16", "shape": [320, 128], "data_offsets": [begin, end]}, ...}
//   the rest  data; offsets count from its beginning; tensors lie back to back, without holes or overlaps, and fill it
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace hf2mlx {

inline constexpr uint64_t kMaxSafetensorsHeaderBytes = 100'000'000;

struct TensorEntry {
  std::string name;
  Dtype dtype = Dtype::kU8;
  Shape shape;
  uint64_t offset_bytes = 0;  // from the beginning of the file
  uint64_t size_bytes = 0;
};

// Reads and checks a header. The tensors are sorted by offset; their names are unique. Error{kCorrupt} for anything that the format does
// not allow and for a file that is shorter or longer than its header says; Error{kUnsupported} for a dtype that we do not know.
std::vector<TensorEntry> parse_safetensors_header(const Reader& file);

// A tensor to be written.
struct TensorSpec {
  std::string_view name;
  Dtype dtype = Dtype::kU8;
  std::span<const uint64_t> shape;
};

struct SafetensorsLayout {
  std::string header;                   // the file up to the first tensor, length included; a multiple of 8 bytes
  std::vector<uint64_t> offsets_bytes;  // of each tensor, from the beginning of the file
  uint64_t file_size_bytes = 0;
};

// Lays tensors out back to back in the given order, with the metadata {"format": "mlx"}. Requires: unique names. A header beyond what
// readers accept is an Error{kUnsupported}.
SafetensorsLayout lay_out_safetensors(std::span<const TensorSpec> tensors);

}  // namespace hf2mlx
