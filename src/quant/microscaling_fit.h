// mxfp4, mxfp8 and nvfp4 with a search for the scales. Not for callers of the library; they use quant/fit.h.
#pragma once

#include "quant/fit.h"

namespace hf2mlx {

// As encode_rows_fitted, for these modes and Fit::kFast or kBest.
void encode_microscaling_fitted(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols,
                                const FitOptions& options, const EncodedRows& out);

}  // namespace hf2mlx
