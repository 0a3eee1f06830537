// Element type conversion, bit for bit as MLX casts on the CPU (round to nearest even; NaN stays NaN).
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace hf2mlx {

// Converts `count` elements between any two of F16, BF16, F32 (F64 as a source too). The ranges must not overlap.
void convert_elements(Dtype from, const std::byte* in, Dtype to, std::byte* out, uint64_t count);
// fp8 e4m3 / e5m2 codes and e8m0 exponents to F16, BF16 or F32, as mx.from_fp8 does for e4m3 and by the OCP definition for the others.
void decode_fp8(Dtype from, const std::byte* in, Dtype to, std::byte* out, uint64_t count);

}  // namespace hf2mlx
