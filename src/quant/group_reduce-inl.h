// Smallest and largest lanes of many vectors at once: one vector of results for several of input, which takes a third of the steps of
// reducing each on its own. Per-target code.
#include "quant/float_lanes-inl.h"

#if defined(HF2MLX_QUANT_GROUP_REDUCE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HF2MLX_QUANT_GROUP_REDUCE_INL_H_
#undef HF2MLX_QUANT_GROUP_REDUCE_INL_H_
#else
#define HF2MLX_QUANT_GROUP_REDUCE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace hf2mlx {
namespace HWY_NAMESPACE {

struct TakeMin {
  template <class V>
  HWY_INLINE V operator()(V a, V b) const {
    return hn::Min(a, b);
  }
};
struct TakeMax {
  template <class V>
  HWY_INLINE V operator()(V a, V b) const {
    return hn::Max(a, b);
  }
};

// Folds kCount vectors that lie `stride` elements apart. In every 128-bit block of the result, lane i is from vector i modulo kCount:
// interleaving two vectors and folding the halves leaves the lanes of both, alternately, at half the number.
template <class Take, size_t kCount, class D, class T>
HF2MLX_STEP hn::Vec<D> fold(D d, const T* vectors, size_t stride) {
  if constexpr (kCount == 1) {
    return hn::Load(d, vectors);
  } else {
    const auto even = fold<Take, kCount / 2>(d, vectors, 2 * stride);
    const auto odd = fold<Take, kCount / 2>(d, vectors + stride, 2 * stride);
    return Take()(hn::InterleaveLower(d, even, odd), hn::InterleaveUpper(d, even, odd));
  }
}

// results[i] becomes the smallest or largest lane of the vector at vectors[i * lanes]. Both have room for a multiple of 8 groups.
template <class Take, class T>
HF2MLX_STEP void reduce_groups(const T* vectors, size_t group_count, T* results) {
  constexpr size_t kBlockLanes = 16 / sizeof(T);
  const hn::Repartition<T, DF> d;
  const hn::CappedTag<T, kBlockLanes> block;
  const size_t lanes = hn::Lanes(d);
  for (size_t i = 0; i < group_count; i += kBlockLanes) {
    alignas(64) T folded[2 * kBlockLanes];
    hn::Store(fold<Take, kBlockLanes>(d, vectors + i * lanes, lanes), d, folded);
    auto result = hn::Load(block, folded);
    if (lanes > kBlockLanes) result = Take()(result, hn::Load(block, folded + kBlockLanes));
    hn::Store(result, block, results + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
