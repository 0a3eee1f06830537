// See encode.h.
#include "pipeline/encode.h"

#include <algorithm>
#include <optional>

#include "transform/blocks.h"

namespace hf2mlx {
namespace {

// 128 KB of weights, so that the rest of the scratch holds a decoded block in the least memory that is allowed.
constexpr uint64_t kMostWeights = 32 << 10;

// The weights of the rows of a step's value, read again only where they change.
class WeightReader {
 public:
  WeightReader(const Step& step, uint64_t most, Scratch& scratch) : step_(step), scratch_(scratch), row_(scratch, most * sizeof(float)) {}

  const float* at(uint64_t row, uint64_t col, uint64_t count) {
    const Shape& shape = step_.value->shape();
    const bool one_for_all = rows_of(step_.column_weights->shape()) == 1;
    const uint64_t matrix = one_for_all ? 0 : row / shape[shape.size() - 2];
    const uint64_t begin = matrix * cols_of(shape) + col;
    if (begin_ != begin || count > count_) step_.column_weights->read(begin, count, row_.data(), scratch_);
    begin_ = begin;
    count_ = count;
    return reinterpret_cast<const float*>(row_.data());
  }

 private:
  const Step& step_;
  Scratch& scratch_;
  Scratch::Block row_;
  std::optional<uint64_t> begin_;
  uint64_t count_ = 0;
};

uint64_t scale_bytes(const Step& step, uint64_t elements) {
  return groups(*step.encoding, elements) * size_of(scale_dtype(*step.encoding, step.value->dtype()));
}

}  // namespace

void for_each_weighted_run(const Step& step, const Piece& piece, Scratch& scratch, const WeightedWork& work) {
  if (!step.column_weights) return work({0, piece.count, nullptr});
  const uint64_t cols = cols_of(step.value->shape());
  const uint64_t most = std::min(cols, kMostWeights);
  WeightReader weights(step, most, scratch);
  // Row by row: the rows of a stack need not have their weights in common.
  for_each_row_piece(piece.begin, piece.count, cols, most, [&](const RowPiece& part) {
    work({part.done, part.cols, weights.at(part.row, part.col, part.cols)});
  });
}

EncodedBlock::EncodedBlock(const Step& step, const Piece& piece, const std::byte* values, Buffers& buffers)
    : packed_(buffers.memory, packed_words(*step.encoding, piece.count) * 4),
      scales_(buffers.memory, scale_bytes(step, piece.count)),
      biases_(buffers.memory, has_biases(*step.encoding) ? scales_.span().size() : 0) {
  const Encoding& e = *step.encoding;
  const Dtype dtype = step.value->dtype();
  for_each_weighted_run(step, piece, buffers.scratch, [&](const WeightedRun& run) {
    const uint64_t scales_at = scale_bytes(step, run.done);
    encode_rows_fitted(e, dtype, values + run.done * size_of(dtype), 1, run.count, {step.fit, run.weights},
                       {packed_.data() + packed_words(e, run.done) * 4, scales_.data() + scales_at, biases_.data() + scales_at});
  });
}

}  // namespace hf2mlx
