// Conversions between element types for one instruction set.
#include <cstring>

#include "quant/float_lanes-inl.h"

#if defined(HF2MLX_QUANT_CONVERT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HF2MLX_QUANT_CONVERT_INL_H_
#undef HF2MLX_QUANT_CONVERT_INL_H_
#else
#define HF2MLX_QUANT_CONVERT_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace hf2mlx {
namespace HWY_NAMESPACE {

// Applies kStep, which converts one pair of vectors, to `count` elements; the last ones by way of the stack.
template <size_t kInSize, size_t kOutSize, void (*kStep)(const std::byte*, std::byte*)>
HF2MLX_STEP void for_all_pairs(const std::byte* in, std::byte* out, uint64_t count) {
  const size_t lanes = pair_lanes();
  uint64_t i = 0;
  for (; i + lanes <= count; i += lanes) kStep(in + i * kInSize, out + i * kOutSize);
  if (i == count) return;
  std::byte last_in[16 * kInSize] = {};
  std::byte last_out[16 * kOutSize];
  std::memcpy(last_in, in + i * kInSize, (count - i) * kInSize);
  kStep(last_in, last_out);
  std::memcpy(out + i * kOutSize, last_out, (count - i) * kOutSize);
}

template <Dtype kFrom, Dtype kTo>
HF2MLX_STEP void convert_pair(const std::byte* in, std::byte* out) {
  VF a, b;
  load_pair<kFrom>(in, a, b);
  store_pair<kTo>(a, b, out);
}

template <Dtype kFrom, Dtype kTo>
void convert_all(const std::byte* in, std::byte* out, uint64_t count) {
  for_all_pairs<sizeof(SignedBits<kFrom>), sizeof(SignedBits<kTo>), convert_pair<kFrom, kTo>>(in, out, count);
}

template <Dtype kFrom>
void convert_from(const std::byte* in, Dtype to, std::byte* out, uint64_t count) {
  if (to == Dtype::kBF16) return convert_all<kFrom, Dtype::kBF16>(in, out, count);
  if (to == Dtype::kF16) return convert_all<kFrom, Dtype::kF16>(in, out, count);
  convert_all<kFrom, Dtype::kF32>(in, out, count);
}

inline void convert_floats(Dtype from, const std::byte* in, Dtype to, std::byte* out, uint64_t count) {
  if (from == Dtype::kBF16) return convert_from<Dtype::kBF16>(in, to, out, count);
  if (from == Dtype::kF16) return convert_from<Dtype::kF16>(in, to, out, count);
  convert_from<Dtype::kF32>(in, to, out, count);
}

template <Dtype kFrom>
HF2MLX_STEP VF from_fp8_bits(VU32 code) {
  if constexpr (kFrom == Dtype::kF8E4M3) return from_e4m3_bits(code);
  if constexpr (kFrom == Dtype::kF8E5M2) return from_f16_bits(hn::ShiftLeft<8>(code));  // the upper half of an F16
  const VF power = from_e8m0_bits(code);
  return hn::IfThenElse(hn::RebindMask(DF(), less_than(code, 0xFFu)), power, from_bits(0x7FC00000u));
}

template <Dtype kFrom, Dtype kTo>
HF2MLX_STEP void decode_fp8_pair(const std::byte* in, std::byte* out) {
  VU32 a, b;
  widen<Order::kHalves>(load_codes(reinterpret_cast<const uint8_t*>(in)), a, b);
  store_pair<kTo>(from_fp8_bits<kFrom>(a), from_fp8_bits<kFrom>(b), out);
}

template <Dtype kFrom, Dtype kTo>
void decode_all(const std::byte* in, std::byte* out, uint64_t count) {
  for_all_pairs<1, sizeof(SignedBits<kTo>), decode_fp8_pair<kFrom, kTo>>(in, out, count);
}

template <Dtype kFrom>
void decode_from(const std::byte* in, Dtype to, std::byte* out, uint64_t count) {
  if (to == Dtype::kBF16) return decode_all<kFrom, Dtype::kBF16>(in, out, count);
  if (to == Dtype::kF16) return decode_all<kFrom, Dtype::kF16>(in, out, count);
  decode_all<kFrom, Dtype::kF32>(in, out, count);
}

inline void decode_fp8_codes(Dtype from, const std::byte* in, Dtype to, std::byte* out, uint64_t count) {
  if (from == Dtype::kF8E4M3) return decode_from<Dtype::kF8E4M3>(in, to, out, count);
  if (from == Dtype::kF8E5M2) return decode_from<Dtype::kF8E5M2>(in, to, out, count);
  decode_from<Dtype::kF8E8M0>(in, to, out, count);
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
