// The quantized encodings of MLX: group-wise affine integers and the microscaling formats.
//
// A matrix of rows × cols is encoded row by row, group by group along the row; a stack of matrices is just more rows. Formulas: see
// mlx/backend/cpu/quantized.cpp (mlx 0.32.4), which this reproduces bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tensor/dtype.h"

namespace hf2mlx {

enum class QuantMode : uint8_t { kAffine, kMxfp4, kMxfp8, kNvfp4 };

struct Encoding {
  QuantMode mode = QuantMode::kAffine;
  uint32_t bits = 4;
  uint32_t group_size = 64;
  bool operator==(const Encoding&) const = default;
};

std::string to_text(const Encoding& encoding);      // "affine 4-bit g64"
std::string_view name_of(QuantMode mode) noexcept;  // "affine", "mxfp4", ...
std::optional<QuantMode> quant_mode_from_name(std::string_view name) noexcept;
Encoding default_encoding(QuantMode mode) noexcept;  // (64,4) (32,4) (32,8) nvfp4 (16,4)
// Empty when MLX has this encoding; otherwise what is wrong and which values it has.
std::string why_unsupported(const Encoding& encoding);
inline bool has_biases(const Encoding& e) noexcept { return e.mode == QuantMode::kAffine; }
// Dtype of the scales for an input of `input` (F16, BF16 or F32): the input's own for affine, U8 for the others.
Dtype scale_dtype(const Encoding& e, Dtype input) noexcept;
// Per row of `cols` values (a multiple of the group size): U32 words of packed values, and groups.
uint64_t packed_words(const Encoding& e, uint64_t cols) noexcept;  // cols * bits / 32
uint64_t groups(const Encoding& e, uint64_t cols) noexcept;        // cols / group_size

// Where the encoded rows go or come from. `biases` is unused (may be null) where has_biases is false.
struct EncodedRows {
  std::byte* packed;
  std::byte* scales;
  std::byte* biases;
};
struct ConstEncodedRows {
  const std::byte* packed;
  const std::byte* scales;
  const std::byte* biases;
  // nvfp4 only: a scale of the whole tensor, on top of the groups' own. MLX decodes such a tensor to F32 and nothing else.
  std::optional<float> global_scale = std::nullopt;
};

// Encodes rows × cols values of dtype F16, BF16 or F32. Requires: cols is a multiple of the group size; pointers need no alignment.
void encode_rows(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols, const EncodedRows& out);
// The reverse, as mx.dequantize does it on the CPU: `dtype` is that of the result (and of the scales and biases where affine). Requires:
// F32 where there is a global scale.
void decode_rows(const Encoding& e, Dtype dtype, const ConstEncodedRows& in, uint64_t rows, uint64_t cols, std::byte* values);

}  // namespace hf2mlx
