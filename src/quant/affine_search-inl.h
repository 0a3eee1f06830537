// The search of affine_fit-inl.h for the line, scale and bias, that suits the values of a group best. Per-target code.
//
// It works on an image of the group with 15 bits a value: lanes of sixteen bits do twice as much at a time as floats, and sums of integers
// are the same on every processor in whatever order. A coder takes values of the image to places, which are codes with a fraction. One
// pass over a group finds the codes nearest to the places, and by linear regression the line that suits these codes best. Starts are ranges
// a little narrower than the group's.
#include <cmath>

#include "quant/fit.h"
#include "quant/float_lanes-inl.h"
#include "quant/group_lanes-inl.h"

#if defined(HF2MLX_QUANT_AFFINE_SEARCH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HF2MLX_QUANT_AFFINE_SEARCH_INL_H_
#undef HF2MLX_QUANT_AFFINE_SEARCH_INL_H_
#else
#define HF2MLX_QUANT_AFFINE_SEARCH_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace hf2mlx {
namespace HWY_NAMESPACE {

using DG16 = hn::Repartition<int16_t, DG>;
using VG16 = hn::Vec<DG16>;

inline constexpr float kImageEnd = 16383.0f;
inline constexpr float kCoderOne = 32768.0f;

// Groups side by side. Their lowest values are -kImageEnd, their highest kImageEnd. A lane of 32 bits has two neighbours of a group.
struct GroupImage {
  alignas(64) int16_t values[kMostGroupValues * kMaxGroupLanes];
  alignas(64) int16_t weights[kMostGroupValues * kMaxGroupLanes];  // not set where all count alike
  alignas(64) float sums[kMaxGroupLanes];                          // of the values, weighted
  alignas(64) float inverse_weights[kMaxGroupLanes];               // of the sums of the weights
  size_t pairs;

  HWY_INLINE VG sum() const { return hn::Load(DG(), sums); }
  HWY_INLINE VG inverse_weight() const { return hn::Load(DG(), inverse_weights); }
};

// Codes with `fraction_bits` more. Codes here are about as often below zero as above, for small sums; the lowest is low_code().
struct CodePlaces {
  explicit CodePlaces(int code) : top_code(code), fraction_bits(0) {
    while (code << (fraction_bits + 1) < 8192) ++fraction_bits;
  }
  int one() const { return 1 << fraction_bits; }
  int span() const { return top_code * one(); }
  int low_code() const { return -(top_code / 2); }
  int high_code() const { return low_code() + top_code; }
  // What a weight is at most, and those of a group together, before they are rounded: no product with a code is too long then, and no sum
  // of such products with values.
  float most_weight() const { return static_cast<float>(32767 / high_code()); }
  float most_weights() const { return 131072.0f / static_cast<float>(high_code()) - kMostGroupValues / 2; }

  int top_code;
  int fraction_bits;
};

// place = value * factor / kCoderOne + offset. The offset has half a code in it: without their fraction, places are codes.
struct Coder {
  VG16 factor, offset;
};

// A line through the mean of the codes and that of the values, in units of the image, and how much it explains of the values' variance.
// Here codes are counted from 0.
struct Found {
  VG scale;
  VG mean_code;
  VG explained;
};

// The sum of products of neighbours. What Highway's operation does not add at once differs between processors; the sum does not.
struct PairSum {
  // Compilers take constructors that are not written down out of the reach of the instruction set.
  HWY_INLINE PairSum() : at_once(hn::Zero(DG32())), apart(hn::Zero(DG32())) {}
  HWY_INLINE void add(VG16 a, VG16 b) { at_once = hn::ReorderWidenMulAccumulate(DG32(), a, b, at_once, apart); }
  HWY_INLINE VG value() const { return hn::ConvertTo(DG(), hn::RearrangeToOddPlusEven(at_once, apart)); }

  VG32 at_once, apart;
};

struct CodeSums {
  HWY_INLINE CodeSums() {}
  PairSum codes, squares, products;  // of codes, weighted, and of these with codes and values
};

// Two vectors of small integers as their neighbours.
HF2MLX_STEP VG16 neighbours_of(VG32 even, VG32 odd) {
  return hn::OddEven(hn::BitCast(DG16(), hn::ShiftLeft<16>(odd)), hn::BitCast(DG16(), even));
}

// Rounded to integers, of numbers from 0 to 2^15; of others (NaN) whatever, but within that.
HF2MLX_STEP VG16 integers_of(VG even, VG odd) {
  const VG shift = hn::Set(DG(), 8388608.0f);
  const VG32 a = hn::BitCast(DG32(), hn::Add(even, shift));
  const VG32 b = hn::BitCast(DG32(), hn::Add(odd, shift));
  return hn::And(neighbours_of(a, b), hn::Set(DG16(), int16_t{0x7FFF}));
}

HF2MLX_STEP VG16 in_both(VG v) {
  const VG32 integer = hn::NearestInt(v);
  return neighbours_of(integer, integer);
}

// Of heights above the lowest value; `unit` takes that of the highest to 2 * kImageEnd.
HF2MLX_STEP VG16 image_of(VG even, VG odd, VG unit) {
  return hn::Sub(integers_of(hn::Mul(even, unit), hn::Mul(odd, unit)), hn::Set(DG16(), static_cast<int16_t>(kImageEnd)));
}

// Sets all that has to do with weights, whose sum is `weight`.
HF2MLX_STEP void weigh(const CodePlaces& places, const float* weights, VG weight, GroupImage& image) {
  const DG df;
  const DG16 d;
  const VG16 one = hn::Set(d, int16_t{1});
  VG largest = hn::Zero(df);
  for (size_t i = 0; i < 2 * image.pairs; ++i) largest = hn::Max(largest, hn::Load(df, weights + i * hn::Lanes(df)));
  const VG unit = hn::Min(hn::Div(hn::Set(df, places.most_weights()), weight), hn::Div(hn::Set(df, places.most_weight()), largest));
  PairSum sum, total;
  for (size_t i = 0; i < image.pairs; ++i) {
    const VG even = hn::Load(df, weights + 2 * i * hn::Lanes(df));
    const VG odd = hn::Load(df, weights + (2 * i + 1) * hn::Lanes(df));
    const VG16 counts = integers_of(hn::Mul(even, unit), hn::Mul(odd, unit));
    hn::Store(counts, d, image.weights + i * hn::Lanes(d));
    sum.add(counts, hn::Load(d, image.values + i * hn::Lanes(d)));
    total.add(counts, one);
  }
  hn::Store(sum.value(), df, image.sums);
  hn::Store(hn::Div(hn::Set(df, 1.0f), total.value()), df, image.inverse_weights);
}

template <bool kWeighted, size_t kCoders>
HF2MLX_STEP void sum_codes(const GroupImage& image, const CodePlaces& places, const Coder (&coders)[kCoders], CodeSums (&sums)[kCoders]) {
  const DG16 d;
  const VG16 one = hn::Set(d, int16_t{1});
  const VG16 low = hn::Set(d, static_cast<int16_t>(places.low_code()));
  const VG16 top = hn::Set(d, static_cast<int16_t>(places.high_code()));
  for (size_t i = 0; i < image.pairs; ++i) {
    const VG16 value = hn::Load(d, image.values + i * hn::Lanes(d));
    for (size_t k = 0; k < kCoders; ++k) {
      const VG16 place = hn::SaturatedAdd(hn::MulFixedPoint15(value, coders[k].factor), coders[k].offset);
      const VG16 code = hn::Min(hn::Max(hn::ShiftRightSame(place, places.fraction_bits), low), top);
      VG16 weighted_code = code;
      if constexpr (kWeighted) weighted_code = hn::Mul(code, hn::Load(d, image.weights + i * hn::Lanes(d)));
      sums[k].codes.add(weighted_code, one);
      sums[k].squares.add(weighted_code, code);
      sums[k].products.add(weighted_code, value);
    }
  }
}

HF2MLX_STEP Found regression(const GroupImage& image, const CodePlaces& places, const CodeSums& sums) {
  const VG codes = sums.codes.value();
  const VG mean_code = hn::Mul(codes, image.inverse_weight());
  const VG covariance = hn::Sub(sums.products.value(), hn::Mul(mean_code, image.sum()));
  const VG scale = hn::Div(covariance, hn::Sub(sums.squares.value(), hn::Mul(mean_code, codes)));
  const VG low_code = hn::Set(DG(), static_cast<float>(places.low_code()));
  return {scale, hn::Sub(mean_code, low_code), hn::Mul(hn::Mul(scale, covariance), image.inverse_weight())};
}

// Takes the best of what the coders give, if it is better.
template <bool kWeighted, size_t kCoders>
HF2MLX_STEP void improve(const GroupImage& image, const CodePlaces& places, const Coder (&coders)[kCoders], Found& found) {
  CodeSums sums[kCoders];
  sum_codes<kWeighted>(image, places, coders, sums);
  for (const CodeSums& sum : sums) {
    const Found next = regression(image, places, sum);
    const auto better = hn::Gt(next.explained, found.explained);
    found.scale = hn::IfThenElse(better, next.scale, found.scale);
    found.mean_code = hn::IfThenElse(better, next.mean_code, found.mean_code);
    found.explained = hn::IfThenElse(better, next.explained, found.explained);
  }
}

// A start of the search: the line from `low` steps above the lowest value to `high` steps below the highest, and its coder.
struct Start {
  float low, high;
};
// Sets that left the least error in weights of real models at 2, 3 and 4 bits, of all multiples of 0.15; the last eight are for weighted
// values, whose ends may count for little.
inline constexpr Start kFastStarts[] = {{0.45f, 0.45f}, {0.3f, 0.75f}, {0.6f, 0.15f}, {0.0f, 0.45f}};
inline constexpr Start kBestStarts[] = {{0.0f, 0.3f},   {0.0f, 0.6f},  {0.15f, 0.15f}, {0.3f, 0.0f}, {0.3f, 0.6f}, {0.3f, 0.9f},
                                        {0.45f, 0.45f}, {0.45f, 0.6f}, {0.45f, 0.75f}, {0.6f, 0.0f}, {0.6f, 0.3f}, {0.6f, 0.45f},
                                        {0.6f, 0.6f},   {0.75f, 0.0f}, {0.75f, 0.45f}, {0.9f, 0.3f}, {0.0f, 1.0f}, {1.0f, 0.0f},
                                        {1.0f, 1.0f},   {0.5f, 1.4f},  {1.4f, 0.5f},   {1.5f, 1.5f}, {0.2f, 2.2f}, {2.2f, 0.2f}};

struct StartCoder {
  int16_t factor, offset;
};
inline StartCoder start_coder(const CodePlaces& places, Start start) {
  const auto top = static_cast<float>(places.top_code);
  const auto one = static_cast<float>(places.one());
  const float stretch = top / HWY_MAX(top - start.low - start.high, top / 3);
  const float end = static_cast<float>(places.span()) * stretch / 2;  // of the values' places, around that of the middle
  const float lowest = (static_cast<float>(places.low_code()) + 0.5f - start.low * stretch) * one;
  return {static_cast<int16_t>(std::lround(end * (kCoderOne / kImageEnd))), static_cast<int16_t>(std::lround(lowest + end))};
}

// What is searched, for groups of so many bits.
struct Search {
  Search(int top_code, Fit fit) : places(top_code) {
    if (fit == Fit::kFast) {
      add(kFastStarts);
    } else {
      add(kBestStarts);
      repeats = 3;
      neighbours = 1;
    }
  }
  template <size_t kCount>
  void add(const Start (&more)[kCount]) {
    for (const Start start : more) starts[count++] = start_coder(places, start);
  }

  CodePlaces places;
  int repeats = 0;     // from the best line
  int neighbours = 0;  // of the scale that is found, among those that can be stored: how far off
  size_t count = 0;
  StartCoder starts[24] = {};
};

HF2MLX_STEP Coder coder_of(StartCoder start) { return {hn::Set(DG16(), start.factor), hn::Set(DG16(), start.offset)}; }

// The coder whose codes are those nearest to a line.
HF2MLX_STEP Coder coder_of(const GroupImage& image, const CodePlaces& places, const Found& line) {
  const DG df;
  const VG one = hn::Set(df, static_cast<float>(places.one()));
  const VG most = hn::Set(df, 32767.0f);
  const VG factor = hn::Round(hn::Min(hn::Div(hn::Set(df, kCoderOne * places.one()), line.scale), most));
  const VG mean = hn::Mul(image.sum(), image.inverse_weight());
  const VG mean_place = hn::Mul(hn::Add(line.mean_code, hn::Set(df, static_cast<float>(places.low_code()) + 0.5f)), one);
  const VG offset = hn::Sub(mean_place, hn::Mul(mean, hn::Mul(factor, hn::Set(df, 1 / kCoderOne))));
  return {in_both(factor), in_both(hn::Min(hn::Max(offset, hn::Neg(most)), most))};
}

template <bool kWeighted>
HF2MLX_STEP Found search_line(const Search& search, const GroupImage& image) {
  const VG zero = hn::Zero(DG());
  Found found{zero, zero, zero};
  for (size_t i = 0; i < search.count; i += 2)
    improve<kWeighted>(image, search.places, {coder_of(search.starts[i]), coder_of(search.starts[i + 1])}, found);
  for (int i = 0; i < search.repeats; ++i) improve<kWeighted>(image, search.places, {coder_of(image, search.places, found)}, found);
  return found;
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
