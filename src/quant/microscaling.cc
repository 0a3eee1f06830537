// Compiles microscaling-inl.h for every instruction set and calls the best one that this processor has.
#include "quant/microscaling.h"

#include "quant/hwy_compat.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/microscaling.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "hwy/highway.h"
#include "quant/microscaling-inl.h"

#if HWY_ONCE
namespace hf2mlx {

HWY_EXPORT(encode_microscaling_groups);
HWY_EXPORT(decode_microscaling_groups);

void encode_microscaling(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t group_count, const EncodedRows& out) {
  HWY_DYNAMIC_DISPATCH(encode_microscaling_groups)(e, dtype, values, group_count, out);
}

void decode_microscaling(const Encoding& e, Dtype dtype, const ConstEncodedRows& in, uint64_t group_count, std::byte* values) {
  HWY_DYNAMIC_DISPATCH(decode_microscaling_groups)(e, dtype, in, group_count, values);
}

}  // namespace hf2mlx
#endif  // HWY_ONCE
