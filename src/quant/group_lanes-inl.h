// Groups side by side: one lane for each group, one vector for each place in a group. Sums over a group then need no adding across lanes,
// and are the same whatever the length of the vectors. Per-target code.
#include "quant/float_lanes-inl.h"

#if defined(HF2MLX_QUANT_GROUP_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HF2MLX_QUANT_GROUP_LANES_INL_H_
#undef HF2MLX_QUANT_GROUP_LANES_INL_H_
#else
#define HF2MLX_QUANT_GROUP_LANES_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace hf2mlx {
namespace HWY_NAMESPACE {

inline constexpr size_t kMostGroupValues = 128;

// As many groups as a vector has lanes.
struct GroupLanes {
  alignas(64) float values[kMostGroupValues * kMaxLanes<float>];
  alignas(64) float weights[kMostGroupValues * kMaxLanes<float>];  // of the squared errors; not set where all count alike
};

// Four rows of one 128-bit block each become its four columns; longer vectors are so many blocks.
HF2MLX_STEP void transpose_blocks(VF r0, VF r1, VF r2, VF r3, VF* columns) {
  const DF df;
  const VF even_low = hn::InterleaveLower(df, r0, r2);
  const VF odd_low = hn::InterleaveLower(df, r1, r3);
  const VF even_high = hn::InterleaveUpper(df, r0, r2);
  const VF odd_high = hn::InterleaveUpper(df, r1, r3);
  columns[0] = hn::InterleaveLower(df, even_low, odd_low);
  columns[1] = hn::InterleaveUpper(df, even_low, odd_low);
  columns[2] = hn::InterleaveLower(df, even_high, odd_high);
  columns[3] = hn::InterleaveUpper(df, even_high, odd_high);
}

// rows[lane] are the floats of a group each.
HF2MLX_STEP void side_by_side(const float* const* rows, size_t group_size, float* out) {
  const DF df;
  const size_t lanes = hn::Lanes(df);
  for (size_t i = 0; i < group_size; i += lanes) {
    VF a[4];
    transpose_blocks(hn::LoadU(df, rows[0] + i), hn::LoadU(df, rows[1] + i), hn::LoadU(df, rows[2] + i), hn::LoadU(df, rows[3] + i), a);
    if (lanes == 4) {
      for (size_t k = 0; k < 4; ++k) hn::Store(a[k], df, out + (i + k) * lanes);
      continue;
    }
    VF b[4];
    transpose_blocks(hn::LoadU(df, rows[4] + i), hn::LoadU(df, rows[5] + i), hn::LoadU(df, rows[6] + i), hn::LoadU(df, rows[7] + i), b);
    for (size_t k = 0; k < 4; ++k) {
      hn::Store(hn::ConcatLowerLower(df, b[k], a[k]), df, out + (i + k) * lanes);
      hn::Store(hn::ConcatUpperUpper(df, b[k], a[k]), df, out + (i + k + 4) * lanes);
    }
  }
}

// The rows of a batch; where the block ends, its last group once more.
HF2MLX_STEP void rows_of_batch(const float* groups, size_t first, size_t group_count, size_t group_size, const float** rows) {
  for (size_t lane = 0; lane < hn::Lanes(DF()); ++lane) rows[lane] = groups + HWY_MIN(first + lane, group_count - 1) * group_size;
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
