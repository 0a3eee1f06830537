// A search for the scale and the bias of affine groups, for one instruction set.
//
// What is sought is the least sum of h (w - (scale q + bias))^2 with scale and bias as they are stored and q the nearest codes; h is the
// weight of the column, or 1. Least squares makes the weights of every group a little too small, though, and what all groups have in common
// does not average out in a layer's output as the rest of the error does: with 2 bits the logits become too flat. So the part of the
// error that lies along the weights counts once more (see Misfit). The squared error alone never gets larger than that of plain encoding.
//
// Given scale and bias, one pass over a group finds the codes, their error, and by linear regression the scale
// and bias that suit these codes best. Starts from ranges a little narrower than the group's, repeated from the best of them, come within
// 1 % of the error of an exhaustive search. What is found is then rounded as it will be stored, measured, and taken only where it beats
// what affine-inl.h would store.
//
// Every group has a lane of its own and sums run in the order of its values, without fused multiply-adds: the result is the same on every
// processor.
#include <cstring>

#include "quant/affine-inl.h"
#include "quant/affine_fit.h"
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

// How far a start moves the ends of the range inwards, in steps between codes.
struct Start {
  float low, high;
};
inline constexpr Start kFastStarts[] = {{0.2f, 0.6f}, {0.6f, 0.2f}};
inline constexpr float kBestShifts[] = {0.0f, 0.33f, 0.67f, 1.0f};  // of either end
inline constexpr int kBestRepeats = 2;
// How often the error along the weights counts on top of the squared error that it is part of. Measured in docs/quality.md.
inline constexpr float kAlong = 1.0f;
// Errors are computed in float32: what is not smaller by this factor might not be smaller at all.
inline constexpr float kClearly = 0.9995f;

struct Line {
  VF scale, bias;
};

HF2MLX_STEP Line either(hn::Mask<DF> which, Line yes, Line no) {
  return {hn::IfThenElse(which, yes.scale, no.scale), hn::IfThenElse(which, yes.bias, no.bias)};
}

// Groups side by side, their ends and (weighted) sums, and what is the same for all of them.
struct FitBatch {
  const GroupLanes& groups;
  size_t group_size;
  VF top_code, low, high;
  VF weights;  // their sum
  VF heights;  // the sum of value - low
  VF mean;     // of the values
  VF squares;  // the sum of (value - mean)^2
};

// A line and how much of the values' variance it leaves unexplained less than others: more is better.
struct Found {
  Line line;
  VF mean_code;
  VF explained;
};

// What a line leaves.
struct Misfit {
  VF squares;  // of the errors
  VF cost;     // with the square of their projection on the values
};

// What is taken at last.
struct Choice {
  VF plain_squares;  // what must not be exceeded
  VF cost;
  Line stored;   // rounded
  Line encoder;  // what affine_codes is to be given
};

// Nearest codes. NaN has whatever code; its error is NaN in any case.
HF2MLX_STEP VF nearest_code(VF x, VF top_code) {
  const VF shift = hn::Set(DF(), 8388608.0f);
  return hn::Sub(hn::Add(hn::Min(hn::Max(x, hn::Zero(DF())), top_code), shift), shift);
}

template <bool kWeighted>
HF2MLX_STEP VF weighted(const FitBatch& batch, size_t i, VF v) {
  if constexpr (kWeighted) return hn::Mul(v, hn::Load(DF(), batch.groups.weights + i * hn::Lanes(DF())));
  return v;
}

template <bool kWeighted>
HF2MLX_STEP void sum_up(FitBatch& batch) {
  const DF df;
  batch.weights = kWeighted ? hn::Zero(df) : hn::Set(df, static_cast<float>(batch.group_size));
  batch.heights = hn::Zero(df);
  batch.squares = hn::Zero(df);
  for (size_t i = 0; i < batch.group_size; ++i) {
    const VF height = hn::Sub(hn::Load(df, batch.groups.values + i * hn::Lanes(df)), batch.low);
    const VF weighted_height = weighted<kWeighted>(batch, i, height);
    batch.heights = hn::Add(batch.heights, weighted_height);
    batch.squares = hn::Add(batch.squares, hn::Mul(weighted_height, height));
    if constexpr (kWeighted) batch.weights = hn::Add(batch.weights, hn::Load(df, batch.groups.weights + i * hn::Lanes(df)));
  }
  const VF mean_height = hn::Div(batch.heights, batch.weights);
  batch.mean = hn::Add(batch.low, mean_height);
  batch.squares = hn::Sub(batch.squares, hn::Mul(batch.heights, mean_height));
}

// That of a stored line with the codes that code_of(value) gives, as decoding to float32 shows it.
template <bool kWeighted, class CodeOf>
HF2MLX_STEP Misfit misfit_of(const FitBatch& batch, Line line, CodeOf code_of) {
  const DF df;
  VF squares = hn::Zero(df), along = hn::Zero(df);
  for (size_t i = 0; i < batch.group_size; ++i) {
    const VF value = hn::Load(df, batch.groups.values + i * hn::Lanes(df));
    const VF residual = hn::Sub(value, hn::Add(hn::Mul(code_of(value), line.scale), line.bias));
    const VF weighted_residual = weighted<kWeighted>(batch, i, residual);
    squares = hn::Add(squares, hn::Mul(weighted_residual, residual));
    along = hn::Add(along, hn::Mul(weighted_residual, hn::Sub(value, batch.mean)));
  }
  const VF projected = hn::Div(hn::Mul(along, along), batch.squares);
  return {squares, hn::Add(squares, hn::Mul(hn::Set(df, kAlong), projected))};
}

// Of the line that fits the nearest codes of another best.
template <bool kWeighted>
HF2MLX_STEP Found regression(const FitBatch& batch, Line line) {
  const DF df;
  const VF inverse = hn::Div(hn::Set(df, 1.0f), line.scale);
  VF codes = hn::Zero(df), squares = hn::Zero(df), products = hn::Zero(df);
  for (size_t i = 0; i < batch.group_size; ++i) {
    const VF x = hn::Mul(hn::Sub(hn::Load(df, batch.groups.values + i * hn::Lanes(df)), line.bias), inverse);
    const VF code = nearest_code(x, batch.top_code);
    const VF weighted_code = weighted<kWeighted>(batch, i, code);
    codes = hn::Add(codes, weighted_code);
    squares = hn::Add(squares, hn::Mul(weighted_code, code));
    products = hn::Add(products, hn::Mul(weighted_code, x));
  }
  const VF mean_code = hn::Div(codes, batch.weights);
  const VF mean = hn::Mul(hn::Sub(hn::Div(batch.heights, batch.weights), hn::Sub(line.bias, batch.low)), inverse);
  const VF covariance = hn::Sub(products, hn::Mul(mean, codes));
  const VF slope = hn::Div(covariance, hn::Sub(squares, hn::Mul(mean_code, codes)));
  const VF offset = hn::Sub(mean, hn::Mul(slope, mean_code));
  const VF scale = hn::Mul(line.scale, slope);
  const VF explained = hn::Mul(hn::Mul(scale, line.scale), covariance);
  return {{scale, hn::Add(line.bias, hn::Mul(line.scale, offset))}, mean_code, explained};
}

template <bool kWeighted>
HF2MLX_STEP void improve(const FitBatch& batch, Line line, Found& found) {
  const Found next = regression<kWeighted>(batch, line);
  const auto better = hn::Gt(next.explained, found.explained);
  found.line = either(better, next.line, found.line);
  found.mean_code = hn::IfThenElse(better, next.mean_code, found.mean_code);
  found.explained = hn::IfThenElse(better, next.explained, found.explained);
}

HF2MLX_STEP Line start_line(const FitBatch& batch, Start start) {
  const DF df;
  const VF step = hn::Div(hn::Sub(batch.high, batch.low), batch.top_code);
  const VF first = hn::Add(batch.low, hn::Mul(step, hn::Set(df, start.low)));
  const VF last = hn::Sub(batch.high, hn::Mul(step, hn::Set(df, start.high)));
  return {hn::Div(hn::Sub(last, first), batch.top_code), first};
}

template <bool kWeighted>
HF2MLX_STEP Found search(const FitBatch& batch, Fit fit) {
  const VF zero = hn::Zero(DF());
  Found found{{zero, zero}, zero, zero};
  if (fit == Fit::kFast) {
    for (const Start start : kFastStarts) improve<kWeighted>(batch, start_line(batch, start), found);
    return found;
  }
  for (const float low : kBestShifts) {
    for (const float high : kBestShifts) improve<kWeighted>(batch, start_line(batch, {low, high}), found);
  }
  for (int i = 0; i < kBestRepeats; ++i) improve<kWeighted>(batch, found.line, found);
  return found;
}

// The line that costs least for the same codes: steeper than least squares has it, about the same mean.
HF2MLX_STEP Found stretched(const FitBatch& batch, Found found) {
  const DF df;
  const VF along = hn::Set(df, kAlong);
  const VF share = hn::Min(hn::Div(found.explained, batch.squares), hn::Set(df, 1.0f));
  const VF scale = hn::Mul(found.line.scale, hn::Div(hn::Add(hn::Set(df, 1.0f), along), hn::Add(hn::Set(df, 1.0f), hn::Mul(along, share))));
  found.line.bias = hn::Add(found.line.bias, hn::Mul(hn::Sub(found.line.scale, scale), found.mean_code));
  found.line.scale = scale;
  return found;
}

// Rounds a scale near that of the line found; the bias then makes up for the difference, as far as it can.
template <Dtype kDtype>
HF2MLX_STEP Line rounded(VF scale, const Found& found) {
  const VF stored = round_to<kDtype>(scale);
  const VF bias = hn::Add(found.line.bias, hn::Mul(hn::Sub(found.line.scale, stored), found.mean_code));
  return {stored, round_to<kDtype>(bias)};
}

template <bool kWeighted>
HF2MLX_STEP void consider(const FitBatch& batch, Line stored, Choice& choice) {
  const VF inverse = hn::Div(hn::Set(DF(), 1.0f), stored.scale);
  const Misfit misfit = misfit_of<kWeighted>(
      batch, stored, [&](VF value) { return nearest_code(hn::Mul(hn::Sub(value, stored.bias), inverse), batch.top_code); });
  const VF clearly = hn::Set(DF(), kClearly);
  const auto better =
      hn::And(hn::Lt(misfit.cost, hn::Mul(choice.cost, clearly)), hn::Lt(misfit.squares, hn::Mul(choice.plain_squares, clearly)));
  choice.cost = hn::IfThenElse(better, misfit.cost, choice.cost);
  choice.stored = either(better, stored, choice.stored);
  choice.encoder = either(better, stored, choice.encoder);
}

// What takes a number to its neighbours among those of a type, whatever its mantissa; 0 where they do not matter.
template <Dtype kDtype>
inline constexpr float kNeighbour = kDtype == Dtype::kBF16  ? 0.7f / 128
                                    : kDtype == Dtype::kF16 ? 0.7f / 1024
                                                            : 0.0f;

template <Dtype kDtype>
HF2MLX_STEP VF beside(VF stored, float way) {
  return round_to<kDtype>(hn::Add(stored, hn::Mul(stored, hn::Set(DF(), way))));
}

template <Dtype kDtype, bool kWeighted>
HF2MLX_STEP void consider_neighbours(const FitBatch& batch, const Found& found, Choice& choice) {
  if (kNeighbour<kDtype> == 0) return;
  const VF scale = round_to<kDtype>(found.line.scale);
  for (const float way : {-kNeighbour<kDtype>, kNeighbour<kDtype>})
    consider<kWeighted>(batch, rounded<kDtype>(beside<kDtype>(scale, way), found), choice);
  const Line at = choice.stored;
  for (const float way : {-kNeighbour<kDtype>, kNeighbour<kDtype>})
    consider<kWeighted>(batch, {at.scale, beside<kDtype>(at.bias, way)}, choice);
}

// Between plain encoding, given as affine-inl.h has computed it, and what the search finds.
template <Dtype kDtype, bool kWeighted>
HF2MLX_STEP Choice choose(const FitBatch& batch, Fit fit, Line plain) {
  const Line stored{round_to<kDtype>(plain.scale), round_to<kDtype>(plain.bias)};
  const Misfit misfit = misfit_of<kWeighted>(batch, stored, [&](VF value) {
    return hn::Sub(from_bits(affine_codes(value, plain.scale, plain.bias, batch.top_code)), hn::Set(DF(), 8388608.0f));
  });
  Choice choice{misfit.squares, misfit.cost, stored, plain};
  const Found found = stretched(batch, search<kWeighted>(batch, fit));
  consider<kWeighted>(batch, rounded<kDtype>(found.line.scale, found), choice);
  if (fit == Fit::kBest) consider_neighbours<kDtype, kWeighted>(batch, found, choice);
  return choice;
}

// Weights of the columns, by the number of a group in its row.
struct ColumnWeights {
  const float* of_columns;
  size_t groups_per_row;
};

template <Dtype kDtype, bool kWeighted>
HF2MLX_STEP void fit_parameters(const std::byte* values, uint64_t first_group, size_t group_count, size_t group_size, float top, Fit fit,
                                const ColumnWeights& weights, AffineBlock<kDtype>& block) {
  const DF df;
  const size_t lanes = hn::Lanes(df);
  alignas(64) float floats[kBlockCodes + kBlockPadding];
  alignas(64) float stored_scale[kMaxAffineGroups];
  alignas(64) float stored_bias[kMaxAffineGroups];
  GroupLanes groups;
  const float* rows[kMaxLanes<float>];
  floats_from<kDtype>(values, group_count * group_size, floats);
  for (size_t first = 0; first < group_count; first += lanes) {
    rows_of_batch(floats, first, group_count, group_size, rows);
    side_by_side(rows, group_size, groups.values);
    if constexpr (kWeighted) {
      for (size_t lane = 0; lane < lanes; ++lane) {
        const uint64_t group = first_group + HWY_MIN(first + lane, group_count - 1);
        rows[lane] = weights.of_columns + group % weights.groups_per_row * group_size;
      }
      side_by_side(rows, group_size, groups.weights);
    }
    FitBatch batch{groups, group_size, hn::Set(df, top), hn::Load(df, block.low + first), hn::Load(df, block.high + first), {}, {}, {}, {}};
    sum_up<kWeighted>(batch);
    const Line plain{hn::Load(df, block.parameters.scale + first), hn::Load(df, block.parameters.bias + first)};
    const Choice choice = choose<kDtype, kWeighted>(batch, fit, plain);
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
  constexpr size_t kSize = sizeof(Key<kDtype>);
  const size_t packed_bytes = size_t{e.group_size} * e.bits / 8;
  const float top = static_cast<float>((1u << e.bits) - 1);
  AffineBlock<kDtype> block;
  for (uint64_t begin = 0, count; begin < group_count; begin += count) {
    count = HWY_MIN(group_count - begin, kBlockCodes / e.group_size);
    const std::byte* block_values = values + begin * e.group_size * kSize;
    find_ends<kDtype>(block_values, count, e.group_size, block);
    find_parameters<kDtype>(count, top, block);
    fit_parameters<kDtype, kWeighted>(block_values, begin, count, e.group_size, top, fit, weights, block);
    encode_and_pack<kDtype>(e, block_values, count, block);
    std::memcpy(out.packed + begin * packed_bytes, block.codes, count * packed_bytes);
    std::memcpy(out.scales + begin * kSize, block.parameters.stored_scale, count * kSize);
    std::memcpy(out.biases + begin * kSize, block.parameters.stored_bias, count * kSize);
  }
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
