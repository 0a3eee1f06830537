// Compiles lattice-inl.h for every instruction set and calls the best one that this processor has.
#include "quant/lattice.h"

#include "quant/hwy_compat.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/lattice.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "hwy/highway.h"
#include "quant/lattice-inl.h"

#if HWY_ONCE
namespace hf2mlx {

HWY_EXPORT(encode_lattice_groups);

void encode_lattice(Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols, const EncodedRows& out) {
  HWY_DYNAMIC_DISPATCH(encode_lattice_groups)(dtype, values, rows * groups(kLatticeEncoding, cols), out);
}

}  // namespace hf2mlx
#endif  // HWY_ONCE
