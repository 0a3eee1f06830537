// Division of rows and columns by their L2 norms. Sums run in float32 in the order of the tensor, one element after the other, as in MLX's
// reductions on the CPU without vector extensions: the order decides the last bit.
#include <cmath>
#include <mutex>
#include <utility>

#include "transform/blocks.h"
#include "transform/check.h"
#include "transform/ops.h"

namespace hf2mlx::ops {
namespace {

constexpr float kEpsilon = 1e-7f;

float divisor(float sum_of_squares) { return std::sqrt(sum_of_squares) + kEpsilon; }

// Adds the squares of `count` values to `sum`.
float add_squares(float sum, Dtype dtype, const std::byte* in, uint64_t count) {
  alignas(64) float values[kFloatBlock];
  for (uint64_t done = 0; done < count; done += kFloatBlock) {
    const uint64_t n = std::min(kFloatBlock, count - done);
    load_floats(dtype, in + done * size_of(dtype), values, n);
    for (uint64_t i = 0; i < n; ++i) sum += values[i] * values[i];
  }
  return sum;
}

class RowNormalized final : public LazyTensor {
 public:
  explicit RowNormalized(TensorRef base) : LazyTensor(base->dtype(), base->shape()), base_(std::move(base)) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    if (count == 0) return;
    base_->read(begin, count, out, scratch);
    const uint64_t cols = shape()[1];
    for_each_row_piece(begin, count, cols, cols, [&](const RowPiece& piece) {
      std::byte* row = out + piece.done * size_of(dtype());
      const bool whole = piece.cols == cols;
      divide(row, piece.cols, divisor(whole ? add_squares(0, dtype(), row, cols) : row_sum(piece.row, scratch)));
    });
  }

 private:
  float row_sum(uint64_t row, Scratch& scratch) const {
    float sum = 0;
    const uint64_t cols = shape()[1];
    for_each_tile(*base_, row * cols, cols, scratch,
                  [&](const std::byte* in, uint64_t, uint64_t n) { sum = add_squares(sum, dtype(), in, n); });
    return sum;
  }

  void divide(std::byte* row, uint64_t count, float by) const {
    map_floats(dtype(), row, dtype(), row, count, [by](float* values, uint64_t n, uint64_t) {
      for (uint64_t i = 0; i < n; ++i) values[i] /= by;
    });
  }

  const TensorRef base_;
};

class ColNormalized final : public LazyTensor {
 public:
  explicit ColNormalized(TensorRef base) : LazyTensor(base->dtype(), base->shape()), base_(std::move(base)) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    if (count == 0) return;
    std::call_once(summed_, [&] { sum_columns(scratch); });
    base_->read(begin, count, out, scratch);
    const uint64_t cols = shape()[1];
    for_each_row_piece(begin, count, cols, cols, [&](const RowPiece& piece) {
      std::byte* row = out + piece.done * size_of(dtype());
      const float* by = divisors_.data() + piece.col;
      map_floats(dtype(), row, dtype(), row, piece.cols, [by](float* values, uint64_t n, uint64_t done) {
        for (uint64_t i = 0; i < n; ++i) values[i] /= by[done + i];
      });
    });
  }

 private:
  void sum_columns(Scratch& scratch) const {
    const uint64_t cols = shape()[1];
    std::vector<float> sums(cols, 0.0f);
    for_each_tile(*base_, 0, element_count(shape()), scratch, [&](const std::byte* in, uint64_t tile_begin, uint64_t count) {
      for_each_row_piece(tile_begin, count, cols, std::min(cols, kFloatBlock), [&](const RowPiece& piece) {
        alignas(64) float values[kFloatBlock];
        load_floats(dtype(), in + piece.done * size_of(dtype()), values, piece.cols * piece.rows);
        for (uint64_t i = 0; i < piece.cols; ++i) sums[piece.col + i] += values[i] * values[i];
      });
    });
    for (float& sum : sums) sum = divisor(sum);
    divisors_ = std::move(sums);
  }

  const TensorRef base_;
  mutable std::once_flag summed_;
  mutable std::vector<float> divisors_;  // written under summed_, constant afterwards
};

}  // namespace

TensorRef normalize_rows(const TensorRef& t) {
  require_float("normalize_rows", *t);
  require_rank("normalize_rows", *t, 2);
  return std::make_shared<RowNormalized>(t);
}

TensorRef normalize_cols(const TensorRef& t) {
  require_float("normalize_cols", *t);
  require_rank("normalize_cols", *t, 2);
  return std::make_shared<ColNormalized>(t);
}

}  // namespace hf2mlx::ops
