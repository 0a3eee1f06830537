// See loss.h.
#include "pipeline/loss.h"

#include <algorithm>
#include <cmath>

#include "transform/blocks.h"

namespace hf2mlx {
namespace {

// Whole groups of every encoding.
constexpr uint64_t kRun = 32;

// Of at most kRun values. Blocks are multiples of it, so what is added up here does not depend on them.
void add_run(const float* before, const float* after, const float* weights, uint64_t count, LossSum& sum) {
  double errors = 0;
  double squares = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const double error = double{before[i]} - double{after[i]};
    if (!std::isfinite(error)) continue;
    const double weight = weights ? double{weights[i]} : 1.0;
    errors += weight * error * error;
    squares += weight * double{before[i]} * double{before[i]};
  }
  sum.error_squares.add(errors);
  sum.value_squares.add(squares);
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
