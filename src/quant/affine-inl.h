// Affine encoding and decoding for one instruction set.
//
// A group of values w with n = 2^bits - 1 becomes a scale, a bias and codes q = rint((w - bias) / scale), clamped to 0 … n:
//   step = max((max - min) / n, 1e-7); edge = the end with the larger magnitude; scale = step towards the other end;
//   m = rint(edge / scale); if m is not 0, scale = edge / m and bias = edge, so that the edge and zero are both exact; else bias = 0.
// With a single bit, scale = step and bias = min. All in float32; scale and bias are rounded to the values' type only when stored.
// NaN does not count for min and max and its code is 0; an infinity makes the scale NaN and all codes 0.
#include <bit>
#include <cstring>
#include <limits>

#include "quant/affine.h"
#include "quant/bit_pack-inl.h"
#include "quant/float_lanes-inl.h"
#include "quant/group_reduce-inl.h"

#if defined(HF2MLX_QUANT_AFFINE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HF2MLX_QUANT_AFFINE_INL_H_
#undef HF2MLX_QUANT_AFFINE_INL_H_
#else
#define HF2MLX_QUANT_AFFINE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace hf2mlx {
namespace HWY_NAMESPACE {

inline constexpr size_t kMaxAffineGroups = kBlockCodes / 32;

// Floats compare like these integers: the bits, all but the sign flipped where negative. So the ends are found among whole vectors of the
// narrow type, NaN included: it lies beyond the infinities.
template <Dtype kDtype>
using Key = SignedBits<kDtype>;
template <Dtype kDtype>
inline constexpr Key<kDtype> kHighestKey = kInfinityBits<kDtype>;
template <Dtype kDtype>
inline constexpr Key<kDtype> kLowestKey = static_cast<Key<kDtype>>(~kInfinityBits<kDtype>);
inline constexpr int kNegativeZeroKey = -1;

struct AffineParameters {
  alignas(64) float scale[kMaxAffineGroups] = {};
  alignas(64) float bias[kMaxAffineGroups] = {};
  alignas(64) std::byte stored_scale[kMaxAffineGroups * 4] = {};  // of the values' own type
  alignas(64) std::byte stored_bias[kMaxAffineGroups * 4] = {};
};

// The figures and codes of the groups of a block. All of it is set, so that whole vectors can be read.
template <Dtype kDtype>
struct AffineBlock {
  alignas(64) Key<kDtype> low_lanes[kMaxAffineGroups * kMaxLanes<Key<kDtype>>] = {};
  alignas(64) Key<kDtype> high_lanes[kMaxAffineGroups * kMaxLanes<Key<kDtype>>] = {};
  alignas(64) Key<kDtype> low_keys[kMaxAffineGroups] = {};
  alignas(64) Key<kDtype> high_keys[kMaxAffineGroups] = {};
  alignas(64) float low[kMaxAffineGroups] = {};
  alignas(64) float high[kMaxAffineGroups] = {};
  AffineParameters parameters;
  alignas(64) uint8_t codes[kBlockCodes + kBlockPadding] = {};
};

struct AffineDecodeBlock {
  AffineParameters parameters;
  alignas(64) uint8_t packed[kBlockCodes + kBlockPadding] = {};
  alignas(64) uint8_t codes[kBlockCodes + kBlockPadding] = {};
};

// Its own inverse.
template <class D, class V>
HF2MLX_STEP V key_from_bits(D d, V bits) {
  using T = hn::TFromD<D>;
  return hn::Xor(bits, hn::And(hn::ShiftRight<8 * sizeof(T) - 1>(bits), hn::Set(d, std::numeric_limits<T>::max())));
}

// One value after the other, for groups with NaN, which is ignored, or with both zeros, of which the first counts. A group of nothing but
// NaN has its ends the wrong way round.
template <Dtype kDtype>
HWY_NOINLINE void find_ends_in_order(const std::byte* values, size_t group_size, Key<kDtype>& low, Key<kDtype>& high) {
  using T = Key<kDtype>;
  low = kHighestKey<kDtype>;
  high = kLowestKey<kDtype>;
  for (size_t i = 0; i < group_size; ++i) {
    T bits;
    std::memcpy(&bits, values + i * sizeof(T), sizeof(T));
    const T key = bits < 0 ? static_cast<T>(bits ^ std::numeric_limits<T>::max()) : bits;
    const bool is_nan = key > kHighestKey<kDtype> || key < kLowestKey<kDtype>;
    if (is_nan) continue;
    const bool is_second_zero = key == kNegativeZeroKey && low == 0;
    if (!is_second_zero) low = HWY_MIN(low, key);
    high = HWY_MAX(high, key);
  }
}

// The ends of each group as keys, in block.low and block.high. Vectors of the ends of each lane come first, then those are reduced.
template <Dtype kDtype>
HF2MLX_STEP void find_end_keys(const std::byte* values, size_t group_count, size_t group_size, AffineBlock<kDtype>& block) {
  using T = Key<kDtype>;
  const hn::Repartition<T, DF> d;
  for (size_t group = 0; group < group_count; ++group) {
    auto low = hn::Set(d, std::numeric_limits<T>::max());
    auto high = hn::Set(d, std::numeric_limits<T>::min());
    for (size_t i = group * group_size; i < (group + 1) * group_size; i += hn::Lanes(d)) {
      const auto key = key_from_bits(d, load_bytes(d, values + i * sizeof(T)));
      low = hn::Min(low, key);
      high = hn::Max(high, key);
    }
    hn::Store(low, d, block.low_lanes + group * hn::Lanes(d));
    hn::Store(high, d, block.high_lanes + group * hn::Lanes(d));
  }
  reduce_groups<TakeMin>(block.low_lanes, group_count, block.low_keys);
  reduce_groups<TakeMax>(block.high_lanes, group_count, block.high_keys);
}

template <Dtype kDtype>
HF2MLX_STEP void values_of_keys(Key<kDtype>* keys, size_t count, float* values) {
  const hn::Repartition<Key<kDtype>, DF> d;
  for (size_t i = 0; i < count; i += hn::Lanes(d)) hn::Store(key_from_bits(d, hn::Load(d, keys + i)), d, keys + i);
  floats_from<kDtype>(reinterpret_cast<const std::byte*>(keys), count, values);
}

template <Dtype kDtype>
HF2MLX_STEP void find_ends(const std::byte* values, size_t group_count, size_t group_size, AffineBlock<kDtype>& block) {
  find_end_keys<kDtype>(values, group_count, group_size, block);
  for (size_t group = 0; group < group_count; ++group) {
    const bool has_nan = block.high_keys[group] > kHighestKey<kDtype> || block.low_keys[group] < kLowestKey<kDtype>;
    if (HWY_LIKELY(!has_nan && block.low_keys[group] != kNegativeZeroKey)) continue;
    find_ends_in_order<kDtype>(values + group * group_size * sizeof(Key<kDtype>), group_size, block.low_keys[group],
                               block.high_keys[group]);
  }
  values_of_keys<kDtype>(block.low_keys, group_count, block.low);
  values_of_keys<kDtype>(block.high_keys, group_count, block.high);
}

HF2MLX_STEP VF step_between(VF low, VF high, VF top_code) {
  const VF step = hn::Div(hn::Sub(high, low), top_code);
  const VF at_least = hn::Set(DF(), 1e-7f);
  return hn::IfThenElse(hn::IsNaN(step), made_nan(), hn::IfThenElse(hn::Lt(step, at_least), at_least, step));
}

HF2MLX_STEP void edge_parameters(VF low, VF high, VF top_code, VF& scale, VF& bias) {
  const DF df;
  const VF step = step_between(low, high, top_code);
  const auto low_is_edge = hn::Gt(hn::Abs(low), hn::Abs(high));
  const VF edge = hn::IfThenElse(low_is_edge, low, high);
  const VF towards = hn::IfThenElse(low_is_edge, step, hn::Neg(step));
  const VF edge_code = hn::Round(hn::Div(edge, towards));
  const auto at_zero = hn::Eq(edge_code, hn::Zero(df));
  const VF adjusted = hn::Div(edge, edge_code);
  const VF nan = hn::IfThenElse(hn::IsNaN(towards), towards, made_nan());
  scale = hn::IfThenElse(at_zero, towards, hn::IfThenElse(hn::IsNaN(adjusted), nan, adjusted));
  bias = hn::IfThenZeroElse(at_zero, edge);
}

template <Dtype kDtype>
HF2MLX_STEP void find_parameters(size_t group_count, float top, AffineBlock<kDtype>& block) {
  const DF df;
  AffineParameters& parameters = block.parameters;
  const VF top_code = hn::Set(df, top);
  for (size_t i = 0; i < group_count; i += hn::Lanes(df)) {
    const VF low = hn::Load(df, block.low + i);
    const VF high = hn::Load(df, block.high + i);
    VF scale, bias;
    if (top == 1) {
      scale = step_between(low, high, top_code);
      bias = low;
    } else {
      edge_parameters(low, high, top_code, scale, bias);
    }
    hn::Store(scale, df, parameters.scale + i);
    hn::Store(bias, df, parameters.bias + i);
  }
  floats_to<kDtype>(parameters.scale, group_count, parameters.stored_scale);
  floats_to<kDtype>(parameters.bias, group_count, parameters.stored_bias);
}

// Rounded, clamped codes in the lower bits. Adding 2^23 rounds to nearest even and leaves the integer in the lowest bits. The comparison
// sends NaN to 0, which a maximum does not on every processor.
template <class V>
HF2MLX_STEP hn::Vec<hn::RebindToUnsigned<hn::DFromV<V>>> affine_codes(V values, V scale, V bias, V top_code) {
  const hn::DFromV<V> d;
  const V x = hn::Div(hn::Sub(values, bias), scale);
  const V clamped = hn::Min(hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), x), top_code);
  return hn::BitCast(hn::RebindToUnsigned<hn::DFromV<V>>(), hn::Add(clamped, hn::Set(d, 8388608.0f)));
}

// Codes of the groups from `first` on, one to a byte.
template <Dtype kDtype>
HF2MLX_STEP void encode_values(const std::byte* values, size_t first, size_t group_count, size_t group_size, float top,
                               AffineBlock<kDtype>& block) {
  constexpr Order kOrder = kCheapOrder<kDtype>;
  const DF df;
  const VF top_code = hn::Set(df, top);
  for (size_t group = first; group < group_count; ++group) {
    const VF scale = hn::Set(df, block.parameters.scale[group]);
    const VF bias = hn::Set(df, block.parameters.bias[group]);
    for (size_t i = group * group_size; i < (group + 1) * group_size; i += pair_lanes()) {
      VF a, b;
      load_pair<kDtype, kOrder>(values + i * sizeof(Key<kDtype>), a, b);
      const VU32 code_a = affine_codes(a, scale, bias, top_code);
      const VU32 code_b = affine_codes(b, scale, bias, top_code);
      store_codes(lower_halves<kOrder>(code_a, code_b), block.codes + i);
    }
  }
}

// Four pairs of codes of four bits, even elements in one vector and odd ones in the other, as the bytes of their packed form. Every lane
// has a byte of each pair, which are put in order within blocks of 128 bits, and then across these.
HF2MLX_STEP void store_nibbles(const VU32 (&even)[4], const VU32 (&odd)[4], uint8_t* packed) {
  const DU32 d;
  VU32 pair[4];
  for (size_t k = 0; k < 4; ++k) pair[k] = hn::Or(even[k], hn::ShiftLeft<4>(odd[k]));
  const VU32 first = hn::Or(hn::And(pair[0], hn::Set(d, 0xFFu)), hn::ShiftLeft<8>(pair[1]));
  const VU32 bytes = hn::Or(first, hn::Or(hn::ShiftLeft<16>(pair[2]), hn::ShiftLeft<24>(pair[3])));
  alignas(16) static constexpr uint8_t kByPair[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
  const VU32 ordered = hn::BitCast(d, hn::TableLookupBytes(hn::BitCast(DU8(), bytes), hn::LoadDup128(DU8(), kByPair)));
  if (hn::Lanes(d) == 4) return store_bytes(d, ordered, packed);
  alignas(32) static constexpr int32_t kAcross[8] = {0, 4, 1, 5, 2, 6, 3, 7};
  store_bytes(d, hn::TableLookupLanes(ordered, hn::SetTableIndices(d, kAcross)), packed);
}

// The packed codes of BF16 at four bits, the most frequent case, without bytes of single codes in between.
HF2MLX_STEP void encode_nibbles(const std::byte* values, size_t group_count, size_t group_size, AffineBlock<Dtype::kBF16>& block) {
  const DF df;
  const VF top_code = hn::Set(df, 15.0f);
  const int group_bits = std::countr_zero(group_size);
  const size_t chunk = 4 * pair_lanes();
  const size_t chunks_end = group_count * group_size / chunk * chunk;
  for (size_t i = 0; i < chunks_end; i += chunk) {
    VU32 even[4], odd[4];
    for (size_t k = 0; k < 4; ++k) {
      const size_t at = i + k * pair_lanes();
      const VF scale = hn::Set(df, block.parameters.scale[at >> group_bits]);
      const VF bias = hn::Set(df, block.parameters.bias[at >> group_bits]);
      VF a, b;
      load_pair<Dtype::kBF16, Order::kAlternate>(values + at * sizeof(Key<Dtype::kBF16>), a, b);
      even[k] = affine_codes(a, scale, bias, top_code);
      odd[k] = affine_codes(b, scale, bias, top_code);
    }
    store_nibbles(even, odd, block.codes + i / 2);
  }
  // A last group of 32 may be half a chunk.
  if (chunks_end == group_count * group_size) return;
  encode_values(values, chunks_end / group_size, group_count, group_size, 15.0f, block);
  pack_nibbles(block.codes + chunks_end, group_count * group_size - chunks_end);
  std::memcpy(block.codes + chunks_end / 2, block.codes + chunks_end, (group_count * group_size - chunks_end) / 2);
}

template <Dtype kDtype>
HF2MLX_STEP void encode_and_pack(const Encoding& e, const std::byte* values, size_t group_count, AffineBlock<kDtype>& block) {
  if constexpr (kDtype == Dtype::kBF16) {
    if (e.bits == 4) return encode_nibbles(values, group_count, e.group_size, block);
  }
  encode_values<kDtype>(values, 0, group_count, e.group_size, static_cast<float>((1u << e.bits) - 1), block);
  pack_block(e.bits, block.codes, group_count * e.group_size);
}

// choose(block_values, first_group, group_count, block) may set other parameters than those of the block.
template <Dtype kDtype, class Choose>
HF2MLX_STEP void encode_groups(const Encoding& e, const std::byte* values, uint64_t group_count, const EncodedRows& out,
                               const Choose& choose) {
  constexpr size_t kSize = sizeof(Key<kDtype>);
  const size_t packed_bytes = size_t{e.group_size} * e.bits / 8;
  const float top = static_cast<float>((1u << e.bits) - 1);
  AffineBlock<kDtype> block;
  for (uint64_t begin = 0, count; begin < group_count; begin += count) {
    count = HWY_MIN(group_count - begin, kBlockCodes / e.group_size);
    const std::byte* block_values = values + begin * e.group_size * kSize;
    find_ends<kDtype>(block_values, count, e.group_size, block);
    find_parameters<kDtype>(count, top, block);
    choose(block_values, begin, count, block);
    encode_and_pack<kDtype>(e, block_values, count, block);
    std::memcpy(out.packed + begin * packed_bytes, block.codes, count * packed_bytes);
    std::memcpy(out.scales + begin * kSize, block.parameters.stored_scale, count * kSize);
    std::memcpy(out.biases + begin * kSize, block.parameters.stored_bias, count * kSize);
  }
}

template <Dtype kDtype>
void encode_plain_groups(const Encoding& e, const std::byte* values, uint64_t group_count, const EncodedRows& out) {
  encode_groups<kDtype>(e, values, group_count, out, [](const std::byte*, uint64_t, size_t, AffineBlock<kDtype>&) {});
}

inline void encode_affine_groups(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t group_count, const EncodedRows& out) {
  if (dtype == Dtype::kBF16) return encode_plain_groups<Dtype::kBF16>(e, values, group_count, out);
  if (dtype == Dtype::kF16) return encode_plain_groups<Dtype::kF16>(e, values, group_count, out);
  encode_plain_groups<Dtype::kF32>(e, values, group_count, out);
}

// Product and sum are both rounded to the type of the result. Of two NaNs the first wins, which `a + b` does not say to a compiler.
template <Dtype kDtype>
HF2MLX_STEP VF affine_value(VU32 codes, VF scale, VF bias) {
  const VF scaled = round_to<kDtype>(hn::Mul(hn::ConvertTo(DF(), hn::BitCast(DI32(), codes)), scale));
  const VF sum = hn::Add(scaled, bias);
  if constexpr (kDtype == Dtype::kBF16) return sum;  // has only one NaN
  return hn::IfThenElse(hn::IsNaN(scaled), scaled, sum);
}

template <Dtype kDtype>
HF2MLX_STEP void load_parameters(const std::byte* scales, const std::byte* biases, size_t group_count, AffineParameters& parameters) {
  std::memcpy(parameters.stored_scale, scales, group_count * sizeof(Key<kDtype>));
  std::memcpy(parameters.stored_bias, biases, group_count * sizeof(Key<kDtype>));
  floats_from<kDtype>(parameters.stored_scale, group_count, parameters.scale);
  floats_from<kDtype>(parameters.stored_bias, group_count, parameters.bias);
}

template <Dtype kDtype>
HF2MLX_STEP void decode_values(const AffineDecodeBlock& block, size_t group_count, size_t group_size, std::byte* values) {
  constexpr Order kOrder = kCheapOrder<kDtype>;
  for (size_t group = 0; group < group_count; ++group) {
    const VF scale = hn::Set(DF(), block.parameters.scale[group]);
    const VF bias = hn::Set(DF(), block.parameters.bias[group]);
    for (size_t i = group * group_size; i < (group + 1) * group_size; i += pair_lanes()) {
      VU32 a, b;
      widen<kOrder>(load_codes(block.codes + i), a, b);
      const VF value_a = affine_value<kDtype>(a, scale, bias);
      const VF value_b = affine_value<kDtype>(b, scale, bias);
      store_pair<kDtype, kOrder>(value_a, value_b, values + i * sizeof(Key<kDtype>));
    }
  }
}

template <Dtype kDtype>
void decode_groups(const Encoding& e, const ConstEncodedRows& in, uint64_t group_count, std::byte* values) {
  constexpr size_t kSize = sizeof(Key<kDtype>);
  const size_t packed_bytes = size_t{e.group_size} * e.bits / 8;
  AffineDecodeBlock block;
  for (uint64_t begin = 0, count; begin < group_count; begin += count) {
    count = HWY_MIN(group_count - begin, kBlockCodes / e.group_size);
    std::memcpy(block.packed, in.packed + begin * packed_bytes, count * packed_bytes);
    unpack_block(e.bits, block.packed, count * e.group_size, block.codes);
    load_parameters<kDtype>(in.scales + begin * kSize, in.biases + begin * kSize, count, block.parameters);
    decode_values<kDtype>(block, count, e.group_size, values + begin * e.group_size * kSize);
  }
}

inline void decode_affine_groups(const Encoding& e, Dtype dtype, const ConstEncodedRows& in, uint64_t group_count, std::byte* values) {
  if (dtype == Dtype::kBF16) return decode_groups<Dtype::kBF16>(e, in, group_count, values);
  if (dtype == Dtype::kF16) return decode_groups<Dtype::kF16>(e, in, group_count, values);
  decode_groups<Dtype::kF32>(e, in, group_count, values);
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
