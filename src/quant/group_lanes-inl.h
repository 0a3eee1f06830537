// Groups side by side: one lane for each group, one vector for each place in a group. Sums over a group then need no adding across lanes,
// and are the same whatever the length of the vectors. Per-target code.
#include "quant/bit_pack-inl.h"
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
// Errors are computed in float32: what is not smaller by this factor might not be smaller at all.
inline constexpr float kClearly = 0.9995f;

// The longest vectors of groups: those of the processor, up to 512 bits.
using DG = hn::CappedTag<float, 16>;
using VG = hn::Vec<DG>;
inline constexpr size_t kMaxGroupLanes = 16;

using DG32 = hn::RebindToSigned<DG>;
using VG32 = hn::Vec<DG32>;

// As many groups as a vector has lanes.
struct GroupLanes {
  alignas(64) float values[kMostGroupValues * kMaxGroupLanes];
  alignas(64) float weights[kMostGroupValues * kMaxGroupLanes];  // of the squared errors; not set where all count alike
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

// f of the lanes of `v`, for an f of vectors that are no longer than DF's.
template <class V, class F>
HF2MLX_STEP VG in_halves(V v, const F& f) {
  if constexpr (hn::MaxLanes(DG()) == hn::MaxLanes(DF())) {
    return f(v);
  } else {
    const hn::Half<hn::DFromV<V>> half;
    return hn::Combine(DG(), f(hn::UpperHalf(half, v)), f(hn::LowerHalf(half, v)));
  }
}

// rows[lane] are `count` elements of 32 bits each. put(i, lane, column) gets the column of their elements i, in as many vectors as it
// takes, the first of which begins with `lane`.
template <class D, class Put>
HF2MLX_STEP void columns_of(D d, const std::byte* const* rows, size_t count, const Put& put) {
  const size_t lanes = hn::Lanes(DF());
  const auto load = [&](size_t row, size_t i) { return load_bytes(DF(), rows[row] + i * sizeof(float)); };
  for (size_t lane = 0; lane < hn::Lanes(d); lane += lanes) {
    for (size_t i = 0; i < count; i += lanes) {
      VF a[4];
      transpose_blocks(load(lane, i), load(lane + 1, i), load(lane + 2, i), load(lane + 3, i), a);
      if (lanes == 4) {
        for (size_t k = 0; k < 4; ++k) put(i + k, lane, a[k]);
        continue;
      }
      VF b[4];
      transpose_blocks(load(lane + 4, i), load(lane + 5, i), load(lane + 6, i), load(lane + 7, i), b);
      for (size_t k = 0; k < 4; ++k) {
        put(i + k, lane, hn::ConcatLowerLower(DF(), b[k], a[k]));
        put(i + k + 4, lane, hn::ConcatUpperUpper(DF(), b[k], a[k]));
      }
    }
  }
}

// rows[lane] are the floats of a group each.
template <class D>
HF2MLX_STEP void side_by_side(D d, const std::byte* const* rows, size_t group_size, float* out) {
  columns_of(d, rows, group_size, [&](size_t i, size_t lane, VF column) { hn::Store(column, DF(), out + i * hn::Lanes(d) + lane); });
}

// The same for rows of BF16, of which two are an element.
template <class D>
HF2MLX_STEP void pairs_side_by_side(D d, const std::byte* const* rows, size_t group_size, float* out) {
  columns_of(d, rows, group_size / 2, [&](size_t i, size_t lane, VF column) {
    float* const to = out + 2 * i * hn::Lanes(d) + lane;
    hn::Store(from_bits(hn::ShiftLeft<16>(bits_of(column))), DF(), to);
    hn::Store(from_bits(hn::And(bits_of(column), hn::Set(DU32(), 0xFFFF0000u))), DF(), to + hn::Lanes(d));
  });
}

// The groups of a block of values.
template <Dtype kDtype>
class GroupRows {
 public:
  GroupRows(const std::byte* values, size_t group_count, size_t group_size) : count_(group_count), size_(group_size) {
    if constexpr (!kPairs) floats_from<kDtype>(values, group_count * group_size, floats_);
    begin_ = kPairs ? values : reinterpret_cast<const std::byte*>(floats_);
  }

  // Those from `first` on; where the block ends, its last group once more.
  template <class D>
  HWY_INLINE void load(D d, size_t first, float* out) const {
    const std::byte* rows[kMaxGroupLanes];
    for (size_t lane = 0; lane < hn::Lanes(d); ++lane)
      rows[lane] = begin_ + HWY_MIN(first + lane, count_ - 1) * size_ * (kPairs ? sizeof(uint16_t) : sizeof(float));
    if constexpr (kPairs)
      pairs_side_by_side(d, rows, size_, out);
    else
      side_by_side(d, rows, size_, out);
  }

 private:
  static constexpr bool kPairs = kDtype == Dtype::kBF16;
  size_t count_, size_;
  const std::byte* begin_;
  alignas(64) float floats_[kPairs ? 1 : kBlockCodes + kBlockPadding];
};

// How much the squared errors of each column count, for groups that go through row after row.
struct ColumnWeights {
  const float* of_columns;  // null where all count alike
  size_t groups_per_row;

  // Those of the group `first` and the following ones.
  template <class D>
  HWY_INLINE void load(D d, uint64_t first, size_t group_size, float* out) const {
    const std::byte* rows[kMaxGroupLanes];
    for (size_t lane = 0; lane < hn::Lanes(d); ++lane)
      rows[lane] = reinterpret_cast<const std::byte*>(of_columns + (first + lane) % groups_per_row * group_size);
    side_by_side(d, rows, group_size, out);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
