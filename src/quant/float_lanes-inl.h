// Vectors of float32 to and from the element types, rounding as MLX's CPU does. Per-target code; see Highway's foreach_target.h.
//
// Elements are handled two vectors at a time. Vectors are at most 256 bits, so a pair is at most 16 elements and divides every group.
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "tensor/dtype.h"

#if defined(HF2MLX_QUANT_FLOAT_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HF2MLX_QUANT_FLOAT_LANES_INL_H_
#undef HF2MLX_QUANT_FLOAT_LANES_INL_H_
#else
#define HF2MLX_QUANT_FLOAT_LANES_INL_H_
#endif

// Where the processor itself converts between F16 and F32. Elsewhere Highway emulates it, 1.0.3 without infinity and NaN, so it is done
// here.
#undef HF2MLX_NATIVE_F16
#if (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2 && !defined(HWY_DISABLE_F16C)) || (HWY_ARCH_ARM_A64 && HWY_TARGET != HWY_EMU128)
#define HF2MLX_NATIVE_F16 1
#else
#define HF2MLX_NATIVE_F16 0
#endif

// For functions of more than a few operations. In the portable fallback every operation is a loop, and inlining them all took most of the
// compile time (a minute, ten under sanitizers).
#undef HF2MLX_STEP
#if HWY_TARGET == HWY_EMU128
#define HF2MLX_STEP inline HWY_NOINLINE
#else
#define HF2MLX_STEP HWY_INLINE
#endif

HWY_BEFORE_NAMESPACE();
namespace hf2mlx {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::CappedTag<float, 8>;
using DU32 = hn::RebindToUnsigned<DF>;
using DI32 = hn::RebindToSigned<DF>;
using DU16 = hn::Repartition<uint16_t, DF>;
using DI16 = hn::RebindToSigned<DU16>;
using DU8 = hn::Repartition<uint8_t, DF>;
using DU16Half = hn::Half<DU16>;
using DU8Half = hn::Half<DU8>;
using DF16Half = hn::Rebind<hwy::float16_t, DF>;
using VF = hn::Vec<DF>;
using VU32 = hn::Vec<DU32>;
using VU16 = hn::Vec<DU16>;

// Elements of a pair of vectors; and of a vector of T at most.
HWY_INLINE size_t pair_lanes() { return hn::Lanes(DU16()); }
template <class T>
inline constexpr size_t kMaxLanes = 32 / sizeof(T);

// Integers as wide as a type's values, and the bits of its infinity.
template <Dtype kDtype>
using SignedBits = std::conditional_t<kDtype == Dtype::kF32, int32_t, int16_t>;
template <Dtype kDtype>
inline constexpr SignedBits<kDtype> kInfinityBits = kDtype == Dtype::kF32   ? 0x7F800000
                                                    : kDtype == Dtype::kF16 ? 0x7C00
                                                                            : 0x7F80;

// Loads and stores of any lane type without a claim about alignment.
template <class D>
HWY_INLINE hn::Vec<D> load_bytes(D d, const void* p) {
  return hn::BitCast(d, hn::LoadU(hn::Repartition<uint8_t, D>(), static_cast<const uint8_t*>(p)));
}
template <class D, class V>
HWY_INLINE void store_bytes(D, V v, void* p) {
  const hn::Repartition<uint8_t, D> d8;
  hn::StoreU(hn::BitCast(d8, v), d8, static_cast<uint8_t*>(p));
}

HWY_INLINE VU32 bits_of(VF v) { return hn::BitCast(DU32(), v); }
HWY_INLINE VF from_bits(VU32 v) { return hn::BitCast(DF(), v); }
HWY_INLINE VF from_bits(uint32_t bits) { return from_bits(hn::Set(DU32(), bits)); }
// The NaN that x86 makes of inf - inf, inf / inf or 0 / 0. Other processors make a positive one; the output must not depend on that.
HWY_INLINE VF made_nan() { return from_bits(0xFFC00000u); }

HWY_INLINE VU32 sign_bit_of(VU32 bits) { return hn::And(bits, hn::Set(DU32(), 0x80000000u)); }

// All values are below 2^31, where signed and unsigned order agree and every target has the signed comparison.
HWY_INLINE hn::Mask<DU32> less_than(VU32 v, uint32_t limit) {
  return hn::RebindMask(DU32(), hn::Lt(hn::BitCast(DI32(), v), hn::Set(DI32(), static_cast<int32_t>(limit))));
}
HWY_INLINE VU32 min_of(VU32 v, uint32_t limit) {
  return hn::BitCast(DU32(), hn::Min(hn::BitCast(DI32(), v), hn::Set(DI32(), static_cast<int32_t>(limit))));
}
HWY_INLINE VU32 max_of(VU32 v, uint32_t limit) {
  return hn::BitCast(DU32(), hn::Max(hn::BitCast(DI32(), v), hn::Set(DI32(), static_cast<int32_t>(limit))));
}

// Which elements of a pair are in its vectors `a` and `b`: the first and the second half of them, or the even and the odd ones. The latter
// is cheaper to take apart from 16-bit lanes, and to join to them, where widening needs no more than a shift.
enum class Order { kHalves, kAlternate };
template <Dtype kDtype>
inline constexpr Order kCheapOrder = kDtype == Dtype::kBF16 ? Order::kAlternate : Order::kHalves;

// Two vectors of 32-bit lanes as one of 16-bit lanes, keeping the lower or the upper halves; and back.
template <Order kOrder>
HF2MLX_STEP VU16 lower_halves(VU32 a, VU32 b) {
  const DU16 d;
  if constexpr (kOrder == Order::kAlternate) return hn::OddEven(hn::BitCast(d, hn::ShiftLeft<16>(b)), hn::BitCast(d, a));
  return hn::ConcatEven(d, hn::BitCast(d, b), hn::BitCast(d, a));
}
template <Order kOrder>
HF2MLX_STEP VU16 upper_halves(VU32 a, VU32 b) {
  const DU16 d;
  if constexpr (kOrder == Order::kAlternate) return hn::OddEven(hn::BitCast(d, b), hn::BitCast(d, hn::ShiftRight<16>(a)));
  return hn::ConcatOdd(d, hn::BitCast(d, b), hn::BitCast(d, a));
}
template <Order kOrder>
HF2MLX_STEP void widen(VU16 v, VU32& a, VU32& b) {
  if constexpr (kOrder == Order::kAlternate) {
    a = hn::And(hn::BitCast(DU32(), v), hn::Set(DU32(), 0xFFFFu));
    b = hn::ShiftRight<16>(hn::BitCast(DU32(), v));
  } else {
    a = hn::PromoteTo(DU32(), hn::LowerHalf(DU16Half(), v));
    b = hn::PromoteTo(DU32(), hn::UpperHalf(DU16Half(), v));
  }
}

// A magnitude that is being rounded to a float with fewer bits, to nearest even. Adding 2^(e + 23 - mantissa bits) to a value with exponent
// e makes the unit of the sum that of the result, so the addition itself rounds; subnormal results share the smallest exponent.
template <class VI>
struct SmallFloat {
  VI exponent, shifter;  // bits of float32
  VI sum;                // of magnitude and shifter

  HWY_INLINE VI units() const { return hn::Sub(sum, shifter); }
  HWY_INLINE hn::Vec<hn::RebindToFloat<hn::DFromV<VI>>> value() const {
    const hn::RebindToFloat<hn::DFromV<VI>> df;
    return hn::Sub(hn::BitCast(df, sum), hn::BitCast(df, shifter));
  }
};

// `magnitude` are float32 bits without sign; what exceeds `max_bits` (NaN too) becomes `max_bits`. For vectors of any length.
template <int kMinExponent, int kMantissaBits, class VI>
HF2MLX_STEP SmallFloat<VI> small_float(VI magnitude, int32_t max_bits) {
  const hn::DFromV<VI> d;
  const hn::RebindToFloat<hn::DFromV<VI>> df;
  const VI capped = hn::Min(magnitude, hn::Set(d, max_bits));
  const VI exponent = hn::Max(hn::And(capped, hn::Set(d, 0x7F800000)), hn::Set(d, (kMinExponent + 127) << 23));
  const VI shifter = hn::Add(exponent, hn::Set(d, (23 - kMantissaBits) << 23));
  return {exponent, shifter, hn::BitCast(d, hn::Add(hn::BitCast(df, capped), hn::BitCast(df, shifter)))};
}

// The largest of four and of eight bits: 6 and 448.
inline constexpr int32_t kMostE2m1 = 0x40C00000;
inline constexpr int32_t kMostE4m3 = 0x43E00000;

// The code without sign, in the lower bits.
template <int kMinExponent, int kMantissaBits>
HF2MLX_STEP VU32 small_float_code(VU32 magnitude, int32_t max_bits) {
  const auto rounded = small_float<kMinExponent, kMantissaBits>(hn::BitCast(DI32(), magnitude), max_bits);
  const auto above = hn::Sub(rounded.exponent, hn::Set(DI32(), (kMinExponent + 127) << 23));
  return hn::BitCast(DU32(), hn::Add(hn::ShiftRight<23 - kMantissaBits>(above), rounded.units()));
}

// The reverse, for codes without sign in the lower bits. The exponent of all ones has no special meaning here.
template <int kMinExponent, int kMantissaBits>
HF2MLX_STEP VF from_small_float_code(VU32 code) {
  constexpr uint32_t kBias = static_cast<uint32_t>(kMinExponent + 126) << 23;
  constexpr uint32_t kUnit = static_cast<uint32_t>(kMinExponent - kMantissaBits + 127) << 23;
  const VF normal = from_bits(hn::Add(hn::ShiftLeft<23 - kMantissaBits>(code), hn::Set(DU32(), kBias)));
  const VF subnormal = hn::Mul(hn::ConvertTo(DF(), hn::BitCast(DI32(), code)), from_bits(kUnit));
  return hn::IfThenElse(hn::RebindMask(DF(), less_than(code, 1u << kMantissaBits)), subnormal, normal);
}

// F16 codes in the lower halves.
HF2MLX_STEP VU32 f16_bits(VF v) {
  const VU32 bits = bits_of(v);
  const VU32 sign = sign_bit_of(bits);
  const VU32 magnitude = hn::Xor(bits, sign);
  const VU32 finite = small_float_code<-14, 10>(magnitude, 0x47800000);  // 65536 has the code of infinity
  const VU32 code = hn::IfThenElse(less_than(magnitude, 0x7F800001u), finite, hn::Set(DU32(), 0x7D00u));
  return hn::Or(code, hn::ShiftRight<16>(sign));
}

HF2MLX_STEP VF from_f16_bits(VU32 code) {
  const VU32 magnitude = hn::And(code, hn::Set(DU32(), 0x7FFFu));
  const VU32 sign = hn::ShiftLeft<16>(hn::Xor(code, magnitude));
  const VU32 finite = bits_of(from_small_float_code<-14, 10>(magnitude));
  // Infinity and NaN: the exponent of all ones, and NaN made quiet, as processors do.
  const VU32 quiet = hn::IfThenZeroElse(less_than(magnitude, 0x7C01u), hn::Set(DU32(), 0x00400000u));
  const VU32 special = hn::Or(hn::Or(hn::ShiftLeft<13>(magnitude), hn::Set(DU32(), 0x7F800000u)), quiet);
  return from_bits(hn::Or(hn::IfThenElse(less_than(magnitude, 0x7C00u), finite, special), sign));
}

#if HF2MLX_NATIVE_F16
HWY_INLINE hn::Vec<DU16Half> f16_half(VF v) {
  const hn::RebindToSigned<DU16Half> di;
  const auto code = hn::BitCast(DU16Half(), hn::DemoteTo(DF16Half(), v));
  const auto magnitude = hn::And(code, hn::Set(DU16Half(), uint16_t{0x7FFF}));
  const auto nan = hn::RebindMask(DU16Half(), hn::Gt(hn::BitCast(di, magnitude), hn::Set(di, int16_t{0x7C00})));
  const auto mlx_nan = hn::Or(hn::Xor(code, magnitude), hn::Set(DU16Half(), uint16_t{0x7D00}));
  return hn::IfThenElse(nan, mlx_nan, code);
}
#endif

// BF16 codes in the upper halves; the lower ones hold rubbish. For vectors of any length.
template <class V>
HF2MLX_STEP hn::Vec<hn::RebindToUnsigned<hn::DFromV<V>>> bf16_bits(V v) {
  const hn::RebindToUnsigned<hn::DFromV<V>> d;
  const auto bits = hn::BitCast(d, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1u));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(d, 0x7FFFu)));
  return hn::IfThenElse(hn::RebindMask(d, hn::IsNaN(v)), hn::Set(d, 0x7FC00000u), rounded);
}

// Two values of kDtype from `p` on; pair_lanes() elements.
template <Dtype kDtype, Order kOrder = Order::kHalves>
HF2MLX_STEP void load_pair(const std::byte* p, VF& a, VF& b) {
  static_assert(kOrder == Order::kHalves || kDtype == Dtype::kBF16);
  const size_t half = hn::Lanes(DF());
  if constexpr (kDtype == Dtype::kF32) {
    a = load_bytes(DF(), p);
    b = load_bytes(DF(), p + 4 * half);
  } else if constexpr (kOrder == Order::kAlternate) {
    const VU32 both = load_bytes(DU32(), p);
    a = from_bits(hn::ShiftLeft<16>(both));
    b = from_bits(hn::And(both, hn::Set(DU32(), 0xFFFF0000u)));
  } else if constexpr (kDtype == Dtype::kBF16) {
    a = from_bits(hn::ShiftLeft<16>(hn::PromoteTo(DU32(), load_bytes(DU16Half(), p))));
    b = from_bits(hn::ShiftLeft<16>(hn::PromoteTo(DU32(), load_bytes(DU16Half(), p + 2 * half))));
  } else {
#if HF2MLX_NATIVE_F16
    a = hn::PromoteTo(DF(), hn::BitCast(DF16Half(), load_bytes(DU16Half(), p)));
    b = hn::PromoteTo(DF(), hn::BitCast(DF16Half(), load_bytes(DU16Half(), p + 2 * half)));
#else
    a = from_f16_bits(hn::PromoteTo(DU32(), load_bytes(DU16Half(), p)));
    b = from_f16_bits(hn::PromoteTo(DU32(), load_bytes(DU16Half(), p + 2 * half)));
#endif
  }
}

// Rounds and stores a pair.
template <Dtype kDtype, Order kOrder = Order::kHalves>
HF2MLX_STEP void store_pair(VF a, VF b, std::byte* p) {
  static_assert(kOrder == Order::kHalves || kDtype == Dtype::kBF16);
  const size_t half = hn::Lanes(DF());
  if constexpr (kDtype == Dtype::kF32) {
    store_bytes(DF(), a, p);
    store_bytes(DF(), b, p + 4 * half);
  } else if constexpr (kDtype == Dtype::kBF16) {
    store_bytes(DU16(), upper_halves<kOrder>(bf16_bits(a), bf16_bits(b)), p);
  } else {
#if HF2MLX_NATIVE_F16
    store_bytes(DU16Half(), f16_half(a), p);
    store_bytes(DU16Half(), f16_half(b), p + 2 * half);
#else
    store_bytes(DU16(), lower_halves<kOrder>(f16_bits(a), f16_bits(b)), p);
#endif
  }
}

// What a value becomes when it is stored and loaded again. For vectors of any length.
template <Dtype kDtype, class V>
HF2MLX_STEP V round_to(V v) {
  const hn::DFromV<V> d;
  if constexpr (kDtype == Dtype::kF32) {
    return v;
  } else if constexpr (kDtype == Dtype::kBF16) {
    const hn::RebindToUnsigned<hn::DFromV<V>> du;
    return hn::BitCast(d, hn::And(bf16_bits(v), hn::Set(du, 0xFFFF0000u)));
  } else if constexpr (!std::is_same_v<V, VF>) {
    return hn::Combine(d, round_to<kDtype>(hn::UpperHalf(DF(), v)), round_to<kDtype>(hn::LowerHalf(DF(), v)));
  } else {
#if HF2MLX_NATIVE_F16
    return hn::PromoteTo(DF(), hn::BitCast(DF16Half(), f16_half(v)));
#else
    return from_f16_bits(f16_bits(v));
#endif
  }
}

// fp8 e4m3: 4 exponent bits, 3 of mantissa, no infinity. Encoding saturates at 448, NaN too.
HF2MLX_STEP VU32 e4m3_bits(VF v) {
  const VU32 bits = bits_of(v);
  const VU32 sign = sign_bit_of(bits);
  return hn::Or(small_float_code<-6, 3>(hn::Xor(bits, sign), kMostE4m3), hn::ShiftRight<24>(sign));
}

HF2MLX_STEP VF from_e4m3_bits(VU32 code) {
  const VU32 magnitude = hn::And(code, hn::Set(DU32(), 0x7Fu));
  const VU32 sign = hn::ShiftLeft<24>(hn::Xor(code, magnitude));
  const VU32 value = bits_of(from_small_float_code<-6, 3>(magnitude));
  return from_bits(hn::Or(hn::IfThenElse(less_than(magnitude, 0x7Fu), value, hn::Set(DU32(), 0x7FF00000u)), sign));
}

// Powers of two: 2^(code - 127). The code 255 gives infinity.
HF2MLX_STEP VF from_e8m0_bits(VU32 code) {
  const VU32 smallest = hn::IfThenElseZero(less_than(code, 1), hn::Set(DU32(), 0x00400000u));
  return from_bits(hn::Or(hn::ShiftLeft<23>(code), smallest));
}

// Bytes to and from the lower bits of a pair.
HF2MLX_STEP void store_codes(VU16 codes, uint8_t* p) { hn::StoreU(hn::DemoteTo(DU8Half(), hn::BitCast(DI16(), codes)), DU8Half(), p); }
HF2MLX_STEP VU16 load_codes(const uint8_t* p) { return hn::PromoteTo(DU16(), hn::LoadU(DU8Half(), p)); }

// Between an array of floats and one of kDtype. Both have room for whole pairs.
template <Dtype kDtype>
HF2MLX_STEP void floats_from(const std::byte* stored, size_t count, float* floats) {
  for (size_t i = 0; i < count; i += pair_lanes()) {
    VF a, b;
    load_pair<kDtype>(stored + i * sizeof(SignedBits<kDtype>), a, b);
    store_pair<Dtype::kF32>(a, b, reinterpret_cast<std::byte*>(floats + i));
  }
}

template <Dtype kDtype>
HF2MLX_STEP void floats_to(const float* floats, size_t count, std::byte* stored) {
  for (size_t i = 0; i < count; i += pair_lanes()) {
    VF a, b;
    load_pair<Dtype::kF32>(reinterpret_cast<const std::byte*>(floats + i), a, b);
    store_pair<kDtype>(a, b, stored + i * sizeof(SignedBits<kDtype>));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
