// Compiles affine-inl.h for every instruction set and calls the best one that this processor has.
#include "quant/affine.h"

#include "quant/hwy_compat.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/affine.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "hwy/highway.h"
#include "quant/affine-inl.h"

#if HWY_ONCE
namespace hf2mlx {

HWY_EXPORT(encode_affine_groups);
HWY_EXPORT(decode_affine_groups);

void encode_affine(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t group_count, const EncodedRows& out) {
  HWY_DYNAMIC_DISPATCH(encode_affine_groups)(e, dtype, values, group_count, out);
}

void decode_affine(const Encoding& e, Dtype dtype, const ConstEncodedRows& in, uint64_t group_count, std::byte* values) {
  HWY_DYNAMIC_DISPATCH(decode_affine_groups)(e, dtype, in, group_count, values);
}

}  // namespace hf2mlx
#endif  // HWY_ONCE
