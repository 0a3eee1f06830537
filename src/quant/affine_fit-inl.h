// A search for the scale and the bias of affine groups, for one instruction set.
//
// What is sought is the least sum of h (w - (scale q + bias))^2 with scale and bias as they are stored and q the nearest codes; h is the
// weight of the column, or 1. Least squares makes the weights of every group a little too small, though, and what all groups have in common
// does not average out in a layer's output as the rest of the error does: with 2 bits the logits become too flat. So the line that
// affine_search-inl.h has found is made steeper, as if the part of the error that lies along the weights counted once more. It is then
// rounded as it will be stored, measured, and taken only where its squared error is less than that of what affine-inl.h would store.
//
// Every group has a lane of its own and sums run in the order of its values, without fused multiply-adds: the result is the same on every
// processor.
#include <cstring>

#include "quant/affine-inl.h"
#include "quant/affine_fit.h"
#include "quant/affine_search-inl.h"
#include "quant/group_lanes-inl.h"

#if defined(HF2MLX_QUANT_AFFINE_FIT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HF2MLX_QUANT_AFFINE_FIT_INL_H_
#undef HF2MLX_QUANT_AFFINE_FIT_INL_H_
#else
#define HF2MLX_QUANT_AFFINE_FIT_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace hf2mlx {
namespace HWY_NAMESPACE {

// How often the error along the weights counts on top of the squared error that it is part of (docs/quality.md).
inline constexpr float kAlong = 1.0f;

struct Line {
  VG scale, bias;
};

HF2MLX_STEP Line either(hn::Mask<DG> which, Line yes, Line no) {
  return {hn::IfThenElse(which, yes.scale, no.scale), hn::IfThenElse(which, yes.bias, no.bias)};
}

// Groups side by side, what is known of them, and what is the same for all of them.
struct FitBatch {
  const GroupLanes& groups;
  size_t group_size;
  VG top_code, low, high;
  VG mean;      // of the values
  VG variance;  // of the values
  VG unit;      // of the image
};

// Nearest codes. NaN has whatever code; its error is NaN in any case.
HF2MLX_STEP VG nearest_code(VG x, VG top_code) { return hn::Round(hn::Min(hn::Max(x, hn::Zero(DG())), top_code)); }

template <bool kWeighted>
HF2MLX_STEP VG weighted(const FitBatch& batch, size_t i, VG v) {
  if constexpr (kWeighted) return hn::Mul(v, hn::Load(DG(), batch.groups.weights + i * hn::Lanes(DG())));
  return v;
}

// Sets all but what `batch` was given, and makes the image.
template <bool kWeighted>
HF2MLX_STEP void measure(const CodePlaces& places, FitBatch& batch, GroupImage& image) {
  const DG df;
  const size_t lanes = hn::Lanes(df);
  VG weights = hn::Zero(df), heights = hn::Zero(df), squares = hn::Zero(df);
  const VG range = hn::Sub(batch.high, batch.low);
  const VG unit = hn::Div(hn::Set(df, 2 * kImageEnd), range);
  for (size_t i = 0; i < batch.group_size; i += 2) {
    VG height[2];
    for (size_t k = 0; k < 2; ++k) {
      height[k] = hn::Sub(hn::Load(df, batch.groups.values + (i + k) * lanes), batch.low);
      const VG weighted_height = weighted<kWeighted>(batch, i + k, height[k]);
      heights = hn::Add(heights, weighted_height);
      squares = hn::Add(squares, hn::Mul(weighted_height, height[k]));
      if constexpr (kWeighted) weights = hn::Add(weights, hn::Load(df, batch.groups.weights + (i + k) * lanes));
    }
    hn::Store(image_of(height[0], height[1], unit), DG16(), image.values + i * lanes);
  }
  if constexpr (!kWeighted) weights = hn::Set(df, static_cast<float>(batch.group_size));
  const VG mean_height = hn::Div(heights, weights);
  batch.mean = hn::Add(batch.low, mean_height);
  batch.variance = hn::Div(hn::Sub(squares, hn::Mul(heights, mean_height)), weights);
  batch.unit = hn::Mul(range, hn::Set(df, 0.5f / kImageEnd));
  image.pairs = batch.group_size / 2;
  if constexpr (kWeighted) return weigh(places, batch.groups.weights, weights, image);
  hn::Store(hn::Sub(hn::Mul(heights, unit), hn::Mul(weights, hn::Set(df, kImageEnd))), df, image.sums);
  hn::Store(hn::Div(hn::Set(df, 1.0f), weights), df, image.inverse_weights);
}

// The sum of the squared errors of a stored line with the codes that code_of(value) gives, as decoding to float32 shows them.
template <bool kWeighted, class CodeOf>
HF2MLX_STEP VG squares_left(const FitBatch& batch, Line line, CodeOf code_of) {
  const DG df;
  VG squares = hn::Zero(df);
  for (size_t i = 0; i < batch.group_size; ++i) {
    const VG value = hn::Load(df, batch.groups.values + i * hn::Lanes(df));
    const VG residual = hn::Sub(value, hn::Add(hn::Mul(code_of(value), line.scale), line.bias));
    squares = hn::Add(squares, hn::Mul(weighted<kWeighted>(batch, i, residual), residual));
  }
  return squares;
}

// The scale that costs least for the same codes: steeper than least squares has it.
HF2MLX_STEP VG stretched(const FitBatch& batch, const Found& found) {
  const DG df;
  const VG one = hn::Set(df, 1.0f), along = hn::Set(df, kAlong);
  const VG explained = hn::Mul(found.explained, hn::Mul(batch.unit, batch.unit));
  const VG share = hn::Min(hn::Div(explained, batch.variance), one);
  return hn::Mul(hn::Mul(found.scale, batch.unit), hn::Div(hn::Add(one, along), hn::Add(one, hn::Mul(along, share))));
}

// What is stored, what affine_codes is to be given, and the squared error that another line must be clearly below.
struct Choice {
  Line stored, encoder;
  VG limit;
};

template <bool kWeighted>
HF2MLX_STEP void consider(const FitBatch& batch, Line stored, Choice& choice) {
  const DG df;
  const VG inverse = hn::Div(hn::Set(df, 1.0f), stored.scale);
  const VG squares = squares_left<kWeighted>(
      batch, stored, [&](VG value) { return nearest_code(hn::Mul(hn::Sub(value, stored.bias), inverse), batch.top_code); });
  const auto better = hn::Lt(squares, choice.limit);
  choice = {either(better, stored, choice.stored), either(better, stored, choice.encoder), hn::IfThenElse(better, squares, choice.limit)};
}

// What takes a number of a type to its neighbours, whatever its mantissa; 0 where they do not matter.
template <Dtype kDtype>
inline constexpr float kNeighbour = kDtype == Dtype::kBF16  ? 0.7f / 128
                                    : kDtype == Dtype::kF16 ? 0.7f / 1024
                                                            : 0.0f;

// Between plain encoding, given as affine-inl.h has computed it, and what the search has found. `neighbours` are those of the scale found;
// the bias makes up for what rounding does to the scale, as far as it can.
template <Dtype kDtype, bool kWeighted>
HF2MLX_STEP Choice choose(const FitBatch& batch, const Found& found, int neighbours, Line plain) {
  const DG df;
  const Line rounded{round_to<kDtype>(plain.scale), round_to<kDtype>(plain.bias)};
  const VG squares = squares_left<kWeighted>(batch, rounded, [&](VG value) {
    return hn::Sub(hn::BitCast(df, affine_codes(value, plain.scale, plain.bias, batch.top_code)), hn::Set(df, 8388608.0f));
  });
  Choice choice{rounded, plain, hn::Mul(squares, hn::Set(df, kClearly))};
  const VG scale = round_to<kDtype>(stretched(batch, found));
  const int reach = kNeighbour<kDtype> == 0 ? 0 : neighbours;
  for (int k = -reach; k <= reach; ++k) {
    const VG beside = round_to<kDtype>(hn::Add(scale, hn::Mul(scale, hn::Set(df, static_cast<float>(k) * kNeighbour<kDtype>))));
    consider<kWeighted>(batch, {beside, round_to<kDtype>(hn::Sub(batch.mean, hn::Mul(beside, found.mean_code)))}, choice);
  }
  return choice;
}

template <Dtype kDtype, bool kWeighted>
HF2MLX_STEP void fit_parameters(const std::byte* values, uint64_t first_group, size_t group_count, size_t group_size, const Search& search,
                                const ColumnWeights& weights, AffineBlock<kDtype>& block) {
  const DG df;
  const size_t lanes = hn::Lanes(df);
  alignas(64) float stored_scale[kMaxAffineGroups];
  alignas(64) float stored_bias[kMaxAffineGroups];
  GroupLanes groups;
  GroupImage image;
  const VG top_code = hn::Set(df, static_cast<float>(search.places.top_code));
  const GroupRows<kDtype> rows(values, group_count, group_size);
  for (size_t first = 0; first < group_count; first += lanes) {
    rows.load(df, first, groups.values);
    if constexpr (kWeighted) weights.load(df, first_group + first, group_size, groups.weights);
    FitBatch batch{groups, group_size, top_code, hn::Load(df, block.low + first), hn::Load(df, block.high + first), {}, {}, {}};
    measure<kWeighted>(search.places, batch, image);
    const Line plain{hn::Load(df, block.parameters.scale + first), hn::Load(df, block.parameters.bias + first)};
    const Choice choice = choose<kDtype, kWeighted>(batch, search_line<kWeighted>(search, image), search.neighbours, plain);
    hn::Store(choice.encoder.scale, df, block.parameters.scale + first);
    hn::Store(choice.encoder.bias, df, block.parameters.bias + first);
    hn::Store(choice.stored.scale, df, stored_scale + first);
    hn::Store(choice.stored.bias, df, stored_bias + first);
  }
  floats_to<kDtype>(stored_scale, group_count, block.parameters.stored_scale);
  floats_to<kDtype>(stored_bias, group_count, block.parameters.stored_bias);
}

template <Dtype kDtype, bool kWeighted>
void encode_fitted_groups(const Encoding& e, const std::byte* values, uint64_t group_count, Fit fit, const ColumnWeights& weights,
                          const EncodedRows& out) {
  const Search search((1 << e.bits) - 1, fit);
  encode_groups<kDtype>(e, values, group_count, out,
                        [&](const std::byte* block_values, uint64_t first, size_t count, AffineBlock<kDtype>& block) {
                          fit_parameters<kDtype, kWeighted>(block_values, first, count, e.group_size, search, weights, block);
                        });
}

template <Dtype kDtype>
void encode_fitted_groups(const Encoding& e, const std::byte* values, uint64_t group_count, const FitOptions& options,
                          uint64_t groups_per_row, const EncodedRows& out) {
  const ColumnWeights weights{options.column_weights, groups_per_row};
  if (weights.of_columns) return encode_fitted_groups<kDtype, true>(e, values, group_count, options.fit, weights, out);
  encode_fitted_groups<kDtype, false>(e, values, group_count, options.fit, weights, out);
}

inline void encode_affine_fitted_groups(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols,
                                        const FitOptions& options, const EncodedRows& out) {
  const uint64_t per_row = cols / e.group_size;
  if (dtype == Dtype::kBF16) return encode_fitted_groups<Dtype::kBF16>(e, values, rows * per_row, options, per_row, out);
  if (dtype == Dtype::kF16) return encode_fitted_groups<Dtype::kF16>(e, values, rows * per_row, options, per_row, out);
  encode_fitted_groups<Dtype::kF32>(e, values, rows * per_row, options, per_row, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
