// mxfp4, mxfp8 and nvfp4 for one instruction set: groups of fp4 (e2m1) or fp8 (e4m3) values that share a scale of one byte.
//
// scale = largest magnitude / largest code value, rounded to the type T of the values. The mx modes store the exponent of the next power
// of two, nvfp4 the scale as e4m3; values are divided by what is stored. What MLX's CPU adds to that, and this reproduces:
//   - nvfp4 quotients are rounded to T (in the mx modes that changes nothing);
//   - fp4 takes the first of the nearest values in code order, so a tie goes towards zero, nothing becomes -0, and a quotient that is NaN,
//     infinite or too large to tell the distances apart becomes 0; fp8 rounds to nearest even and saturates, NaN too;
//   - where a value is not finite, the mx modes divide by 0 and store the code 0 (128 for F32); nvfp4 stores the largest scale;
//   - exponents below -127 wrap around; a scale of 0 is stored as 2^0 (mx) or 0 (nvfp4).
#include <cmath>
#include <cstring>
#include <limits>

#include "quant/bit_pack-inl.h"
#include "quant/float_lanes-inl.h"
#include "quant/group_reduce-inl.h"
#include "quant/microscaling.h"

#if defined(HF2MLX_QUANT_MICROSCALING_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HF2MLX_QUANT_MICROSCALING_INL_H_
#undef HF2MLX_QUANT_MICROSCALING_INL_H_
#else
#define HF2MLX_QUANT_MICROSCALING_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace hf2mlx {
namespace HWY_NAMESPACE {

inline constexpr size_t kMaxMicroscalingGroups = kBlockCodes / 16;

// The figures and codes of the groups of a block. All of it is set, so that whole vectors can be read.
template <Dtype kDtype>
struct MicroscalingBlock {
  alignas(64) SignedBits<kDtype> largest_lanes[kMaxMicroscalingGroups * kMaxLanes<SignedBits<kDtype>>] = {};
  alignas(64) SignedBits<kDtype> largest_bits[kMaxMicroscalingGroups] = {};
  alignas(64) float largest[kMaxMicroscalingGroups] = {};
  alignas(64) float divisor[kMaxMicroscalingGroups] = {};
  alignas(64) uint8_t scale_codes[kMaxMicroscalingGroups] = {};
  alignas(64) uint8_t codes[kBlockCodes + kBlockPadding] = {};
};

struct MicroscalingDecodeBlock {
  alignas(64) uint8_t scale_codes[kMaxMicroscalingGroups] = {};
  alignas(64) float scale[kMaxMicroscalingGroups] = {};
  alignas(64) uint8_t packed[kBlockCodes + kBlockPadding] = {};
  alignas(64) uint8_t codes[kBlockCodes + kBlockPadding] = {};
};

template <QuantMode kMode>
inline constexpr size_t kGroupSize = kMode == QuantMode::kNvfp4 ? 16 : 32;
template <QuantMode kMode>
inline constexpr uint32_t kCodeBits = kMode == QuantMode::kMxfp8 ? 8 : 4;

// Magnitudes compare like their bits; NaN is the largest.
template <Dtype kDtype, QuantMode kMode>
HF2MLX_STEP void find_largest(const std::byte* values, size_t group_count, MicroscalingBlock<kDtype>& block) {
  using T = SignedBits<kDtype>;
  const hn::Repartition<T, DF> d;
  for (size_t group = 0; group < group_count; ++group) {
    auto largest = hn::Zero(d);
    for (size_t i = 0; i < kGroupSize<kMode>; i += hn::Lanes(d)) {
      const auto bits = load_bytes(d, values + (group * kGroupSize<kMode> + i) * sizeof(T));
      largest = hn::Max(largest, hn::And(bits, hn::Set(d, std::numeric_limits<T>::max())));
    }
    hn::Store(largest, d, block.largest_lanes + group * hn::Lanes(d));
  }
  reduce_groups<TakeMax>(block.largest_lanes, group_count, block.largest_bits);
  floats_from<kDtype>(reinterpret_cast<const std::byte*>(block.largest_bits), group_count, block.largest);
}

// Rounds a scale up to a power of two. Tiny ones are brought into the range of normal numbers first.
template <Dtype kDtype>
HF2MLX_STEP void power_scale(VF scale, VU32& code, VF& divisor) {
  const DF df;
  const DU32 du;
  const VF one = hn::Set(df, 1.0f);
  const auto is_tiny = hn::Lt(scale, from_bits(27u << 23));                                 // 2^-100
  const VF normal = hn::IfThenElse(is_tiny, hn::Mul(scale, from_bits(191u << 23)), scale);  // 2^64
  const VU32 exponent = hn::ShiftRight<23>(hn::Add(bits_of(normal), hn::Set(du, 0x007FFFFFu)));
  const VF power = hn::Mul(from_bits(hn::ShiftLeft<23>(exponent)), hn::IfThenElse(is_tiny, from_bits(63u << 23), one));  // 2^-64
  const VU32 power_code = hn::Sub(exponent, hn::IfThenElseZero(hn::RebindMask(du, is_tiny), hn::Set(du, 64u)));

  const auto is_zero = hn::Eq(scale, hn::Zero(df));
  const auto is_finite = less_than(bits_of(scale), 0x7F800000u);
  const VU32 zero_or_power = hn::IfThenElse(hn::RebindMask(du, is_zero), hn::Set(du, 127u), power_code);
  code = hn::IfThenElse(is_finite, zero_or_power, hn::Set(du, kDtype == Dtype::kF32 ? 128u : 0u));
  divisor = hn::IfThenElseZero(hn::RebindMask(df, is_finite), hn::IfThenElse(is_zero, one, power));
}

template <Dtype kDtype, QuantMode kMode>
HF2MLX_STEP void find_scale(VF largest, VU32& code, VF& divisor) {
  const VF scale = round_to<kDtype>(hn::Div(largest, hn::Set(DF(), kCodeBits<kMode> == 4 ? 6.0f : 448.0f)));
  if constexpr (kMode == QuantMode::kNvfp4) {
    code = e4m3_bits(scale);
    divisor = from_e4m3_bits(code);
  } else {
    power_scale<kDtype>(scale, code, divisor);
  }
}

template <Dtype kDtype, QuantMode kMode>
HF2MLX_STEP void find_scales(size_t group_count, MicroscalingBlock<kDtype>& block) {
  const DF df;
  const size_t half = hn::Lanes(df);
  for (size_t i = 0; i < group_count; i += 2 * half) {
    VU32 code_a, code_b;
    VF divisor_a, divisor_b;
    find_scale<kDtype, kMode>(hn::Load(df, block.largest + i), code_a, divisor_a);
    find_scale<kDtype, kMode>(hn::Load(df, block.largest + i + half), code_b, divisor_b);
    hn::Store(divisor_a, df, block.divisor + i);
    hn::Store(divisor_b, df, block.divisor + i + half);
    const VU16 low_bytes = hn::And(lower_halves<Order::kHalves>(code_a, code_b), hn::Set(DU16(), uint16_t{0xFF}));
    store_codes(low_bytes, block.scale_codes + i);
  }
}

// Codes of finite values. The midpoints between fp4 values are exact in bfloat16, so rounding the magnitudes up to that type, by carrying
// any lower bit, keeps their order. From 1 on, a code is exponent and first bit of the mantissa, a tie going down; below, it is counted.
template <Order kOrder>
HF2MLX_STEP VU16 fp4_codes(VF a, VF b) {
  const DU16 d;
  const DI16 di;
  const VU32 carry = hn::Set(DU32(), 0xFFFFu);
  const VU16 value = upper_halves<kOrder>(hn::Add(bits_of(a), carry), hn::Add(bits_of(b), carry));
  const VU16 magnitude = hn::And(value, hn::Set(d, uint16_t{0x7FFF}));
  const auto above_0_25 = hn::VecFromMask(di, hn::Gt(hn::BitCast(di, magnitude), hn::Set(di, int16_t{0x3E80})));
  const auto above_0_75 = hn::VecFromMask(di, hn::Gt(hn::BitCast(di, magnitude), hn::Set(di, int16_t{0x3F40})));
  const auto small = hn::Neg(hn::Add(above_0_25, above_0_75));
  const VU16 rounded = hn::ShiftRight<6>(hn::Add(magnitude, hn::Set(d, uint16_t{0x1F})));
  const auto large = hn::BitCast(di, hn::SaturatedSub(rounded, hn::Set(d, uint16_t{0xFC})));
  const auto code = hn::Min(hn::Max(small, large), hn::Set(di, int16_t{7}));
  const VU16 sign = hn::And(hn::ShiftRight<12>(value), hn::Set(d, uint16_t{8}));
  return hn::Or(hn::BitCast(d, code), hn::And(sign, hn::BitCast(d, above_0_25)));
}

template <QuantMode kMode, Order kOrder>
HF2MLX_STEP VU16 value_codes(VF a, VF b) {
  if constexpr (kMode == QuantMode::kMxfp8) return lower_halves<kOrder>(e4m3_bits(a), e4m3_bits(b));
  return fp4_codes<kOrder>(a, b);
}

// The definition itself, for quotients so large that distances round to the same number, or that are not finite.
inline uint8_t nearest_fp4(float x) {
  constexpr float kValues[16] = {0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f, -0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f};
  uint8_t best = 0;
  for (uint8_t code = 1; code < 16; ++code) {
    if (std::fabs(x - kValues[code]) < std::fabs(x - kValues[best])) best = code;
  }
  return best;
}

// As MLX computes it in any case: the quotient in float32, then rounded to the type of the values.
template <Dtype kDtype>
HF2MLX_STEP VF careful_quotient(VF value, VF divisor) {
  const VF quotient = hn::Div(value, divisor);
  const auto is_made = hn::AndNot(hn::IsNaN(value), hn::IsNaN(quotient));
  return round_to<kDtype>(hn::IfThenElse(is_made, made_nan(), quotient));
}

template <Dtype kDtype, QuantMode kMode>
HWY_NOINLINE void encode_odd_group(const std::byte* values, float divisor, uint8_t* codes) {
  const VF by = hn::Set(DF(), divisor);
  alignas(64) float quotients[kGroupSize<kMode>];
  for (size_t i = 0; i < kGroupSize<kMode>; i += pair_lanes()) {
    VF a, b;
    load_pair<kDtype>(values + i * sizeof(SignedBits<kDtype>), a, b);
    a = careful_quotient<kDtype>(a, by);
    b = careful_quotient<kDtype>(b, by);
    if constexpr (kMode == QuantMode::kMxfp8) store_codes(value_codes<kMode, Order::kHalves>(a, b), codes + i);
    store_pair<Dtype::kF32>(a, b, reinterpret_cast<std::byte*>(quotients + i));
  }
  if constexpr (kMode == QuantMode::kMxfp8) return;
  for (size_t i = 0; i < kGroupSize<kMode>; ++i) codes[i] = nearest_fp4(quotients[i]);
}

template <Dtype kDtype, QuantMode kMode>
HF2MLX_STEP void encode_plain_group(const std::byte* values, float divisor, uint8_t* codes) {
  const VF by = hn::Set(DF(), divisor);
  for (size_t i = 0; i < kGroupSize<kMode>; i += pair_lanes()) {
    VF a, b;
    load_pair<kDtype, kCheapOrder<kDtype>>(values + i * sizeof(SignedBits<kDtype>), a, b);
    a = hn::Div(a, by);
    b = hn::Div(b, by);
    if constexpr (kMode == QuantMode::kNvfp4) {
      a = round_to<kDtype>(a);
      b = round_to<kDtype>(b);
    }
    store_codes(value_codes<kMode, kCheapOrder<kDtype>>(a, b), codes + i);
  }
}

template <Dtype kDtype, QuantMode kMode>
HF2MLX_STEP void encode_values(const std::byte* values, size_t group_count, MicroscalingBlock<kDtype>& block) {
  for (size_t group = 0; group < group_count; ++group) {
    const float divisor = block.divisor[group];
    uint8_t* codes = block.codes + group * kGroupSize<kMode>;
    const std::byte* group_values = values + group * kGroupSize<kMode> * sizeof(SignedBits<kDtype>);
    // Up to 2^24 all distances between values and codes differ. False for NaN, and for a divisor of 0.
    const bool is_plain = block.largest[group] < divisor * 16777216.0f;
    if (HWY_LIKELY(is_plain)) {
      encode_plain_group<kDtype, kMode>(group_values, divisor, codes);
    } else if (kCodeBits<kMode> == 4 && divisor == 0) {
      std::memset(codes, 0, kGroupSize<kMode>);  // every quotient is infinite or NaN
    } else {
      encode_odd_group<kDtype, kMode>(group_values, divisor, codes);
    }
  }
}

template <Dtype kDtype, QuantMode kMode>
void encode_groups(const std::byte* values, uint64_t group_count, const EncodedRows& out) {
  constexpr size_t kGroupBytes = kGroupSize<kMode> * sizeof(SignedBits<kDtype>);
  constexpr size_t kPackedBytes = kGroupSize<kMode> * kCodeBits<kMode> / 8;
  MicroscalingBlock<kDtype> block;
  for (uint64_t begin = 0, count; begin < group_count; begin += count) {
    count = HWY_MIN(group_count - begin, kBlockCodes / kGroupSize<kMode>);
    find_largest<kDtype, kMode>(values + begin * kGroupBytes, count, block);
    find_scales<kDtype, kMode>(count, block);
    encode_values<kDtype, kMode>(values + begin * kGroupBytes, count, block);
    pack_block(kCodeBits<kMode>, block.codes, count * kGroupSize<kMode>);
    std::memcpy(out.packed + begin * kPackedBytes, block.codes, count * kPackedBytes);
    std::memcpy(out.scales + begin, block.scale_codes, count);
  }
}

template <QuantMode kMode>
HF2MLX_STEP VF value_of(VU32 code) {
  if constexpr (kMode == QuantMode::kMxfp8) return from_e4m3_bits(code);
  const VU32 magnitude = hn::And(code, hn::Set(DU32(), 7u));
  const VU32 sign = hn::ShiftLeft<28>(hn::Xor(code, magnitude));
  return from_bits(hn::Or(bits_of(from_small_float_code<0, 1>(magnitude)), sign));
}

template <Dtype kDtype, QuantMode kMode>
HF2MLX_STEP void decode_scales(size_t group_count, float factor, MicroscalingDecodeBlock& block) {
  for (size_t i = 0; i < group_count; i += pair_lanes()) {
    VU32 a, b;
    VF scale_a, scale_b;
    widen<Order::kHalves>(load_codes(block.scale_codes + i), a, b);
    if constexpr (kMode == QuantMode::kNvfp4) {
      scale_a = hn::Mul(from_e4m3_bits(a), hn::Set(DF(), factor));
      scale_b = hn::Mul(from_e4m3_bits(b), hn::Set(DF(), factor));
    } else {
      scale_a = round_to<kDtype>(from_e8m0_bits(a));
      scale_b = round_to<kDtype>(from_e8m0_bits(b));
    }
    store_pair<Dtype::kF32>(scale_a, scale_b, reinterpret_cast<std::byte*>(block.scale + i));
  }
}

template <Dtype kDtype, QuantMode kMode>
HF2MLX_STEP void decode_values(const MicroscalingDecodeBlock& block, size_t group_count, std::byte* values) {
  constexpr Order kOrder = kCheapOrder<kDtype>;
  for (size_t i = 0; i < group_count * kGroupSize<kMode>; i += pair_lanes()) {
    const VF scale = hn::Set(DF(), block.scale[i / kGroupSize<kMode>]);
    VU32 a, b;
    widen<kOrder>(load_codes(block.codes + i), a, b);
    store_pair<kDtype, kOrder>(hn::Mul(value_of<kMode>(a), scale), hn::Mul(value_of<kMode>(b), scale),
                               values + i * sizeof(SignedBits<kDtype>));
  }
}

template <Dtype kDtype, QuantMode kMode>
void decode_groups(const ConstEncodedRows& in, uint64_t group_count, std::byte* values) {
  constexpr size_t kGroupBytes = kGroupSize<kMode> * sizeof(SignedBits<kDtype>);
  constexpr size_t kPackedBytes = kGroupSize<kMode> * kCodeBits<kMode> / 8;
  const float factor = in.global_scale ? *in.global_scale / (448.0f * 6.0f) : 1.0f;
  MicroscalingDecodeBlock block;
  for (uint64_t begin = 0, count; begin < group_count; begin += count) {
    count = HWY_MIN(group_count - begin, kBlockCodes / kGroupSize<kMode>);
    std::memcpy(block.packed, in.packed + begin * kPackedBytes, count * kPackedBytes);
    std::memcpy(block.scale_codes, in.scales + begin, count);
    unpack_block(kCodeBits<kMode>, block.packed, count * kGroupSize<kMode>, block.codes);
    decode_scales<kDtype, kMode>(count, factor, block);
    decode_values<kDtype, kMode>(block, count, values + begin * kGroupBytes);
  }
}

template <Dtype kDtype>
void encode_groups(QuantMode mode, const std::byte* values, uint64_t group_count, const EncodedRows& out) {
  if (mode == QuantMode::kMxfp4) return encode_groups<kDtype, QuantMode::kMxfp4>(values, group_count, out);
  if (mode == QuantMode::kMxfp8) return encode_groups<kDtype, QuantMode::kMxfp8>(values, group_count, out);
  encode_groups<kDtype, QuantMode::kNvfp4>(values, group_count, out);
}

template <Dtype kDtype>
void decode_groups(QuantMode mode, const ConstEncodedRows& in, uint64_t group_count, std::byte* values) {
  if (mode == QuantMode::kMxfp4) return decode_groups<kDtype, QuantMode::kMxfp4>(in, group_count, values);
  if (mode == QuantMode::kMxfp8) return decode_groups<kDtype, QuantMode::kMxfp8>(in, group_count, values);
  decode_groups<kDtype, QuantMode::kNvfp4>(in, group_count, values);
}

inline void encode_microscaling_groups(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t group_count,
                                       const EncodedRows& out) {
  if (dtype == Dtype::kBF16) return encode_groups<Dtype::kBF16>(e.mode, values, group_count, out);
  if (dtype == Dtype::kF16) return encode_groups<Dtype::kF16>(e.mode, values, group_count, out);
  encode_groups<Dtype::kF32>(e.mode, values, group_count, out);
}

inline void decode_microscaling_groups(const Encoding& e, Dtype dtype, const ConstEncodedRows& in, uint64_t group_count,
                                       std::byte* values) {
  if (dtype == Dtype::kBF16) return decode_groups<Dtype::kBF16>(e.mode, in, group_count, values);
  if (dtype == Dtype::kF16) return decode_groups<Dtype::kF16>(e.mode, in, group_count, values);
  decode_groups<Dtype::kF32>(e.mode, in, group_count, values);
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
