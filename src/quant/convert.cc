// Compiles convert-inl.h for every instruction set and calls the best one that this processor has.
#include "quant/convert.h"

#include <algorithm>
#include <cstring>

#include "quant/hwy_compat.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/convert.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "hwy/highway.h"
#include "quant/convert-inl.h"

#if HWY_ONCE
namespace hf2mlx {
namespace {

HWY_EXPORT(convert_floats);
HWY_EXPORT(decode_fp8_codes);

// By way of float32, which rounds twice: so does MLX.
void convert_doubles(const std::byte* in, Dtype to, std::byte* out, uint64_t count) {
  constexpr uint64_t kChunk = 1024;
  float narrow[kChunk];
  for (uint64_t begin = 0, n; begin < count; begin += n) {
    n = std::min(count - begin, kChunk);
    for (uint64_t i = 0; i < n; ++i) {
      double wide;
      std::memcpy(&wide, in + 8 * (begin + i), 8);
      narrow[i] = static_cast<float>(wide);
    }
    convert_elements(Dtype::kF32, reinterpret_cast<const std::byte*>(narrow), to, out + begin * size_of(to), n);
  }
}

}  // namespace

void convert_elements(Dtype from, const std::byte* in, Dtype to, std::byte* out, uint64_t count) {
  if (count == 0) return;
  if (from == Dtype::kF64) return convert_doubles(in, to, out, count);
  if (from == to) {
    std::memcpy(out, in, count * size_of(from));
    return;
  }
  HWY_DYNAMIC_DISPATCH(convert_floats)(from, in, to, out, count);
}

void decode_fp8(Dtype from, const std::byte* in, Dtype to, std::byte* out, uint64_t count) {
  HWY_DYNAMIC_DISPATCH(decode_fp8_codes)(from, in, to, out, count);
}

}  // namespace hf2mlx
#endif  // HWY_ONCE
