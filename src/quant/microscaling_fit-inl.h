// A search for the scales of mxfp4, mxfp8 and nvfp4, for one instruction set: each group tries the neighbours of the scale that
// microscaling-inl.h gives it, and takes another only where the squared error of what is stored gets smaller.
//
// As in affine_fit-inl.h every group has a lane of its own, so the result is the same on every processor.
#include <cstring>

#include "quant/group_lanes-inl.h"
#include "quant/microscaling-inl.h"
#include "quant/microscaling_fit.h"

#if defined(HF2MLX_QUANT_MICROSCALING_FIT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HF2MLX_QUANT_MICROSCALING_FIT_INL_H_
#undef HF2MLX_QUANT_MICROSCALING_FIT_INL_H_
#else
#define HF2MLX_QUANT_MICROSCALING_FIT_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace hf2mlx {
namespace HWY_NAMESPACE {

// The codes of scales beside the plain one that are tried. Those of the mx modes are powers of two, and the plain one loses nothing at the
// top; nvfp4's lie 6 to 12 % apart.
struct Neighbours {
  int first, last;
};
template <QuantMode kMode>
constexpr Neighbours neighbours(Fit fit) {
  if (kMode != QuantMode::kNvfp4) return {-1, -1};
  return fit == Fit::kFast ? Neighbours{-2, 1} : Neighbours{-6, 4};
}
template <QuantMode kMode>
inline constexpr int kHighestScaleCode = kMode == QuantMode::kNvfp4 ? 126 : 254;

template <Dtype kDtype, QuantMode kMode>
HF2MLX_STEP VG scale_of_code(VG32 code) {
  return in_halves(code, [](hn::Vec<DI32> half) {
    const VU32 bits = hn::BitCast(DU32(), half);
    return kMode == QuantMode::kNvfp4 ? from_e4m3_bits(bits) : round_to<kDtype>(from_e8m0_bits(bits));
  });
}

// The magnitude of the nearest value that a code has. With four bits, what lies in the middle goes down, as in the encoder; one unit in the
// last place above may too.
template <QuantMode kMode>
HF2MLX_STEP VG nearest_magnitude(VG x) {
  const DG32 d;
  const VG32 bits = hn::BitCast(d, hn::Abs(x));
  if constexpr (kMode == QuantMode::kMxfp8) return small_float<-6, 3>(bits, kMostE4m3).value();
  return small_float<0, 1>(hn::Sub(hn::Max(bits, hn::Set(d, 1)), hn::Set(d, 1)), kMostE2m1).value();
}

template <Dtype kDtype, QuantMode kMode, bool kWeighted>
HF2MLX_STEP VG scale_error(const GroupLanes& groups, VG divisor, VG scale) {
  const DG df;
  VG sum = hn::Zero(df);
  for (size_t i = 0; i < kGroupSize<kMode>; ++i) {
    const VG value = hn::Load(df, groups.values + i * hn::Lanes(df));
    VG x = hn::Div(value, divisor);
    if constexpr (kMode == QuantMode::kNvfp4) x = round_to<kDtype>(x);
    const VG residual = hn::Sub(hn::Abs(value), hn::Mul(nearest_magnitude<kMode>(x), scale));
    VG square = hn::Mul(residual, residual);
    if constexpr (kWeighted) square = hn::Mul(square, hn::Load(df, groups.weights + i * hn::Lanes(df)));
    sum = hn::Add(sum, square);
  }
  return sum;
}

// Replaces the scales of as many groups as a vector has lanes. `codes` are theirs, one to a lane of 32 bits.
template <Dtype kDtype, QuantMode kMode, bool kWeighted>
HF2MLX_STEP void fit_scales(const GroupLanes& groups, Fit fit, float* divisors, int32_t* codes) {
  const DG df;
  const DG32 di;
  const VG32 plain = hn::Load(di, codes);
  VG32 best_code = plain;
  VG best_divisor = hn::Load(df, divisors);
  VG error = scale_error<kDtype, kMode, kWeighted>(groups, best_divisor, scale_of_code<kDtype, kMode>(plain));
  constexpr int kLast = kHighestScaleCode<kMode>;
  for (int k = neighbours<kMode>(fit).first; k <= neighbours<kMode>(fit).last; ++k) {
    if (k == 0) continue;
    const VG32 code = hn::Min(hn::Max(hn::Add(plain, hn::Set(di, k)), hn::Set(di, 1)), hn::Set(di, kLast));
    const VG scale = scale_of_code<kDtype, kMode>(code);
    const VG candidate = scale_error<kDtype, kMode, kWeighted>(groups, scale, scale);
    const auto better = hn::Lt(candidate, hn::Mul(error, hn::Set(df, kClearly)));
    error = hn::IfThenElse(better, candidate, error);
    best_divisor = hn::IfThenElse(better, scale, best_divisor);
    best_code = hn::IfThenElse(hn::RebindMask(di, better), code, best_code);
  }
  hn::Store(best_divisor, df, divisors);
  hn::Store(best_code, di, codes);
}

template <Dtype kDtype, QuantMode kMode, bool kWeighted>
void fit_block(const std::byte* values, uint64_t first_group, size_t group_count, Fit fit, const ColumnWeights& weights,
               MicroscalingBlock<kDtype>& block) {
  constexpr size_t kSize = kGroupSize<kMode>;
  const size_t lanes = hn::Lanes(DG());
  alignas(64) int32_t codes[kMaxGroupLanes];
  GroupLanes groups;
  const GroupRows<kDtype> rows(values, group_count, kSize);
  for (size_t first = 0; first < group_count; first += lanes) {
    for (size_t lane = 0; lane < lanes; ++lane) codes[lane] = block.scale_codes[HWY_MIN(first + lane, group_count - 1)];
    rows.load(DG(), first, groups.values);
    if constexpr (kWeighted) weights.load(DG(), first_group + first, kSize, groups.weights);
    fit_scales<kDtype, kMode, kWeighted>(groups, fit, block.divisor + first, codes);
    for (size_t lane = 0; lane < HWY_MIN(lanes, group_count - first); ++lane)
      block.scale_codes[first + lane] = static_cast<uint8_t>(codes[lane]);
  }
}

template <Dtype kDtype, QuantMode kMode>
void encode_fitted_groups(const std::byte* values, uint64_t group_count, Fit fit, const ColumnWeights& weights, const EncodedRows& out) {
  constexpr size_t kGroupBytes = kGroupSize<kMode> * sizeof(SignedBits<kDtype>);
  constexpr size_t kPackedBytes = kGroupSize<kMode> * kCodeBits<kMode> / 8;
  MicroscalingBlock<kDtype> block;
  for (uint64_t begin = 0, count; begin < group_count; begin += count) {
    count = HWY_MIN(group_count - begin, kBlockCodes / kGroupSize<kMode>);
    const std::byte* block_values = values + begin * kGroupBytes;
    find_largest<kDtype, kMode>(block_values, count, block);
    find_scales<kDtype, kMode>(count, block);
    if (weights.of_columns)
      fit_block<kDtype, kMode, true>(block_values, begin, count, fit, weights, block);
    else
      fit_block<kDtype, kMode, false>(block_values, begin, count, fit, weights, block);
    encode_values<kDtype, kMode>(block_values, count, block);
    pack_block(kCodeBits<kMode>, block.codes, count * kGroupSize<kMode>);
    std::memcpy(out.packed + begin * kPackedBytes, block.codes, count * kPackedBytes);
    std::memcpy(out.scales + begin, block.scale_codes, count);
  }
}

template <Dtype kDtype>
void encode_fitted_groups(QuantMode mode, const std::byte* values, uint64_t group_count, Fit fit, const ColumnWeights& weights,
                          const EncodedRows& out) {
  if (mode == QuantMode::kMxfp4) return encode_fitted_groups<kDtype, QuantMode::kMxfp4>(values, group_count, fit, weights, out);
  if (mode == QuantMode::kMxfp8) return encode_fitted_groups<kDtype, QuantMode::kMxfp8>(values, group_count, fit, weights, out);
  encode_fitted_groups<kDtype, QuantMode::kNvfp4>(values, group_count, fit, weights, out);
}

inline void encode_microscaling_fitted_groups(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols,
                                              const FitOptions& options, const EncodedRows& out) {
  const ColumnWeights weights{options.column_weights, cols / e.group_size};
  const uint64_t group_count = rows * weights.groups_per_row;
  if (dtype == Dtype::kBF16) return encode_fitted_groups<Dtype::kBF16>(e.mode, values, group_count, options.fit, weights, out);
  if (dtype == Dtype::kF16) return encode_fitted_groups<Dtype::kF16>(e.mode, values, group_count, options.fit, weights, out);
  encode_fitted_groups<Dtype::kF32>(e.mode, values, group_count, options.fit, weights, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
