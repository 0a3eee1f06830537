// Compiles microscaling_fit-inl.h for every instruction set and calls the best one that this processor has.
#include "quant/microscaling_fit.h"

#include "quant/hwy_compat.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/microscaling_fit.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "hwy/highway.h"
#include "quant/microscaling_fit-inl.h"

#if HWY_ONCE
namespace hf2mlx {

HWY_EXPORT(encode_microscaling_fitted_groups);

void encode_microscaling_fitted(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols,
                                const FitOptions& options, const EncodedRows& out) {
  HWY_DYNAMIC_DISPATCH(encode_microscaling_fitted_groups)(e, dtype, values, rows, cols, options, out);
}

}  // namespace hf2mlx
#endif  // HWY_ONCE
