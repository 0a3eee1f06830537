// Affine encoding with a search for scale and bias. Not for callers of the library; they use quant/fit.h.
#pragma once

#include "quant/fit.h"

namespace hf2mlx {

// As encode_rows_fitted, for the affine mode and Fit::kFast or kBest.
void encode_affine_fitted(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols, const FitOptions& options,
                          const EncodedRows& out);

}  // namespace hf2mlx
