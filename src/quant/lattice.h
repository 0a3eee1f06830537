// The lattice of llama.cpp's Q4_0 in affine groups of 32, compiled for each instruction set. See encode_rows_fitted of quant/fit.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "quant/codec.h"
#include "tensor/dtype.h"

namespace hf2mlx {

inline constexpr Encoding kLatticeEncoding = {QuantMode::kAffine, 4, 32};

void encode_lattice(Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols, const EncodedRows& out);

}  // namespace hf2mlx
