// The header of a GGUF file: its tensors, and of its metadata what an importance matrix states.
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
//
//   "GGUF"  u32 version  u64 tensors  u64 key-value pairs
//   pairs   key, u32 type, value                               a string is a u64 length and its bytes
//   infos   name, u32 n, u64 extents[n], u32 type, u64 offset   the extent of a row comes first
//   data    at the next multiple of general.alignment
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/file.h"
#include "tensor/shape.h"

namespace hf2mlx {

inline constexpr uint32_t kGgufF32 = 0;

struct GgufTensor {
  std::string name;
  Shape shape;  // row-major, so in the reverse of the file's order
  uint32_t type = kGgufF32;
  uint64_t offset_bytes = 0;  // from the beginning of the file
};

struct Gguf {
  std::string type;  // general.type: "imatrix", "model" ...; may be empty
  std::vector<GgufTensor> tensors;
};

bool is_gguf(const Reader& file);

// Error{kCorrupt} for what the format does not allow, F32 data beyond the end of the file among it; Error{kUnsupported} for versions but 2
// and
// 3. Memory is bounded by the size of the file: every count is held against the bytes that are left.
Gguf parse_gguf(const Reader& file);

}  // namespace hf2mlx
