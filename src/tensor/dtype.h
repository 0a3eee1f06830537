// Element types as safetensors names them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hf2mlx {

enum class Dtype : uint8_t {
  kBool,
  kU8,
  kI8,
  kF8E4M3,
  kF8E5M2,
  kF8E8M0,
  kU16,
  kI16,
  kF16,
  kBF16,
  kU32,
  kI32,
  kF32,
  kU64,
  kI64,
  kF64,
};

uint64_t size_of(Dtype dtype) noexcept;                           // bytes of one element
std::string_view name_of(Dtype dtype) noexcept;                   // "BF16", "F8_E4M3", ...
std::optional<Dtype> dtype_from_name(std::string_view) noexcept;  // the reverse

// F16, BF16, F32: what MLX calls floating and may cast. F64 and the 8-bit floats are not.
bool is_float(Dtype dtype) noexcept;

}  // namespace hf2mlx
