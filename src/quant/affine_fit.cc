// Compiles affine_fit-inl.h for every instruction set and calls the best one that this processor has.
#include "quant/affine_fit.h"

#include "quant/hwy_compat.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/affine_fit.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "hwy/highway.h"
#include "quant/affine_fit-inl.h"

#if HWY_ONCE
namespace hf2mlx {

HWY_EXPORT(encode_affine_fitted_groups);

void encode_affine_fitted(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols, const FitOptions& options,
                          const EncodedRows& out) {
  HWY_DYNAMIC_DISPATCH(encode_affine_fitted_groups)(e, dtype, values, rows, cols, options, out);
}

}  // namespace hf2mlx
#endif  // HWY_ONCE
