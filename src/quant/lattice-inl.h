// The lattice of llama.cpp's Q4_0, for one instruction set: a group of 32 is d * (code - 8), where d is the value farthest from zero (the
// first of several) over -8. As an affine group that is scale = d and bias = -8 d, which needs no rounding beyond that of d.
//
// llama.cpp stores d as F16, so it is rounded to F16 here too, and then to the values' own type: nothing is lost in F16 and F32, and
// nothing in BF16 where the group's farthest value is at least 2^-11, because d then has as many digits as that value, fewer than F16
// holds. Codes are those of the gguf package, truncated from value * (1 / d) + 8.5 with the d before it was rounded, product and sum
// rounded to float32 one after the other.
#include <cstring>

#include "quant/affine-inl.h"
#include "quant/group_lanes-inl.h"
#include "quant/lattice.h"

#if defined(HF2MLX_QUANT_LATTICE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HF2MLX_QUANT_LATTICE_INL_H_
#undef HF2MLX_QUANT_LATTICE_INL_H_
#else
#define HF2MLX_QUANT_LATTICE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace hf2mlx {
namespace HWY_NAMESPACE {

inline constexpr size_t kLatticeGroup = 32;

// Of each lane's group, the first value of the largest magnitude; NaN does not count.
HF2MLX_STEP VF farthest_values(const GroupLanes& groups) {
  const DF df;
  VF farthest = hn::Zero(df);
  for (size_t i = 0; i < kLatticeGroup; ++i) {
    const VF value = hn::Load(df, groups.values + i * hn::Lanes(df));
    farthest = hn::IfThenElse(hn::Gt(hn::Abs(value), hn::Abs(farthest)), value, farthest);
  }
  return farthest;
}

// The scale of the lattice: rounded as llama.cpp stores it, unless that were infinite.
template <Dtype kDtype>
HF2MLX_STEP VF lattice_scale(VF d) {
  const VF narrow = round_to<Dtype::kF16>(d);
  return round_to<kDtype>(hn::IfThenElse(hn::IsFinite(narrow), narrow, d));
}

// parameters.scale gets the inverse of d, which the codes are made with.
template <Dtype kDtype>
HF2MLX_STEP void find_lattices(const std::byte* values, size_t group_count, AffineParameters& parameters) {
  const DF df;
  const size_t lanes = hn::Lanes(df);
  alignas(64) float scales[kMaxAffineGroups];
  alignas(64) float biases[kMaxAffineGroups];
  GroupLanes groups;
  const GroupRows<kDtype> rows(values, group_count, kLatticeGroup);
  for (size_t first = 0; first < group_count; first += lanes) {
    rows.load(df, first, groups.values);
    const VF d = hn::Mul(farthest_values(groups), hn::Set(df, -0.125f));
    const VF scale = lattice_scale<kDtype>(d);
    const auto is_zero = hn::Eq(d, hn::Zero(df));
    hn::Store(hn::IfThenZeroElse(is_zero, hn::Div(hn::Set(df, 1.0f), d)), df, parameters.scale + first);
    hn::Store(scale, df, scales + first);
    hn::Store(hn::Mul(scale, hn::Set(df, -8.0f)), df, biases + first);
  }
  floats_to<kDtype>(scales, group_count, parameters.stored_scale);
  floats_to<kDtype>(biases, group_count, parameters.stored_bias);
}

// NaN has code 0: the comparison is false for it.
HF2MLX_STEP VU32 lattice_codes(VF values, VF inverse) {
  const DF df;
  const VF place = hn::Add(hn::Mul(values, inverse), hn::Set(df, 8.5f));
  const VF clamped = hn::Min(hn::IfThenElseZero(hn::Gt(place, hn::Zero(df)), place), hn::Set(df, 15.0f));
  return hn::BitCast(DU32(), hn::ConvertTo(DI32(), clamped));
}

template <Dtype kDtype>
HF2MLX_STEP void encode_lattice_values(const std::byte* values, size_t group_count, AffineBlock<kDtype>& block) {
  constexpr Order kOrder = kCheapOrder<kDtype>;
  for (size_t group = 0; group < group_count; ++group) {
    const VF inverse = hn::Set(DF(), block.parameters.scale[group]);
    for (size_t i = group * kLatticeGroup; i < (group + 1) * kLatticeGroup; i += pair_lanes()) {
      VF a, b;
      load_pair<kDtype, kOrder>(values + i * sizeof(Key<kDtype>), a, b);
      store_codes(lower_halves<kOrder>(lattice_codes(a, inverse), lattice_codes(b, inverse)), block.codes + i);
    }
  }
}

template <Dtype kDtype>
void encode_lattice_blocks(const std::byte* values, uint64_t group_count, const EncodedRows& out) {
  constexpr size_t kSize = sizeof(Key<kDtype>);
  constexpr size_t kPackedBytes = kLatticeGroup / 2;
  AffineBlock<kDtype> block;
  for (uint64_t begin = 0, count; begin < group_count; begin += count) {
    count = HWY_MIN(group_count - begin, kBlockCodes / kLatticeGroup);
    const std::byte* block_values = values + begin * kLatticeGroup * kSize;
    find_lattices<kDtype>(block_values, count, block.parameters);
    encode_lattice_values<kDtype>(block_values, count, block);
    pack_block(4, block.codes, count * kLatticeGroup);
    std::memcpy(out.packed + begin * kPackedBytes, block.codes, count * kPackedBytes);
    std::memcpy(out.scales + begin * kSize, block.parameters.stored_scale, count * kSize);
    std::memcpy(out.biases + begin * kSize, block.parameters.stored_bias, count * kSize);
  }
}

inline void encode_lattice_groups(Dtype dtype, const std::byte* values, uint64_t group_count, const EncodedRows& out) {
  if (dtype == Dtype::kBF16) return encode_lattice_blocks<Dtype::kBF16>(values, group_count, out);
  if (dtype == Dtype::kF16) return encode_lattice_blocks<Dtype::kF16>(values, group_count, out);
  encode_lattice_blocks<Dtype::kF32>(values, group_count, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
