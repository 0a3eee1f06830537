// See loss.h.
#include "pipeline/loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "transform/blocks.h"

namespace hf2mlx {
namespace {

// Whole groups of every encoding.
constexpr uint64_t kRun = 32;

// Partial sums do not wait for one another.
constexpr uint64_t kLanes = 8;
struct Lanes {
  double errors[kLanes] = {};
  double squares[kLanes] = {};

  void add(uint64_t lane, double before, double after, double weight) {
    const double error = before - after;
    const bool counts = std::abs(error) <= std::numeric_limits<double>::max();
    errors[lane] += counts ? weight * error * error : 0;
    squares[lane] += counts ? weight * before * before : 0;
  }
};

// Of at most kRun values. Blocks are multiples of it, so what is added up here does not depend on them.
template <class WeightOf>
void add_run(const float* before, const float* after, uint64_t count, const WeightOf& weight_of, LossSum& sum) {
  Lanes lanes;
  uint64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (uint64_t lane = 0; lane < kLanes; ++lane) lanes.add(lane, before[i + lane], after[i + lane], weight_of(i + lane));
  }
  for (; i < count; ++i) lanes.add(0, before[i], after[i], weight_of(i));
  sum.error_squares.add(std::accumulate(lanes.errors, lanes.errors + kLanes, 0.0));
  sum.value_squares.add(std::accumulate(lanes.squares, lanes.squares + kLanes, 0.0));
}

void add_run(const float* before, const float* after, const float* weights, uint64_t count, LossSum& sum) {
  if (weights)
    return add_run(
        before, after, count, [&](uint64_t i) { return double{weights[i]}; }, sum);
  add_run(
      before, after, count, [](uint64_t) { return 1.0; }, sum);
}

}  // namespace

LossSum& LossSum::operator+=(const LossSum& other) {
  error_squares += other.error_squares;
  value_squares += other.value_squares;
  return *this;
}

double Loss::relative_rms() const { return value_squares > 0 ? std::sqrt(error_squares / value_squares) : 0; }

LossSum loss_of(const Step& step, const Piece& piece, const std::byte* values, const EncodedBlock& encoded, Scratch& scratch) {
  const Dtype dtype = step.value->dtype();
  const uint64_t size = size_of(dtype);
  const Scratch::Block decoded(scratch, piece.size_bytes());
  decode_rows(*step.encoding, dtype, encoded.rows(), 1, piece.count, decoded.data());
  LossSum sum;
  for_each_weighted_run(step, piece, scratch, [&](const WeightedRun& run) {
    float before[kFloatBlock];
    float after[kFloatBlock];
    for (uint64_t begin = 0; begin < run.count; begin += kFloatBlock) {
      const uint64_t n = std::min(kFloatBlock, run.count - begin);
      load_floats(dtype, values + (run.done + begin) * size, before, n);
      load_floats(dtype, decoded.data() + (run.done + begin) * size, after, n);
      for (uint64_t i = 0; i < n; i += kRun)
        add_run(before + i, after + i, run.weights ? run.weights + begin + i : nullptr, std::min(kRun, n - i), sum);
    }
  });
  return sum;
}

}  // namespace hf2mlx
