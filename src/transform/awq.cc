// AutoAWQ's weights of 4 or 8 bits. A word of qweight holds neighbouring outputs of one input, interleaved: output i of a word lies at
// place[i]. MLX wants as many neighbouring inputs of one output in a word, in order.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "hf2mlx/error.h"
#include "quant/codes.h"
#include "transform/blocks.h"
#include "transform/check.h"
#include "transform/ops.h"

namespace hf2mlx::ops {
namespace {

struct Word {
  uint32_t bits;
  uint64_t codes;
  uint32_t place[8];  // where in the word each output lies
};

Word word_of(uint32_t bits) {
  if (bits == 4) return {4, 8, {0, 4, 1, 5, 2, 6, 3, 7}};
  if (bits == 8) return {8, 4, {0, 2, 1, 3}};
  throw Error(ErrorCode::kUnsupported, fmt::format("awq_repack: {} bits found, 4 or 8 expected", bits));
}

// From `columns`, the transposed qweight: as many rows of the result as a word has codes come from one row of that.
class Repacked final : public LazyTensor {
 public:
  Repacked(TensorRef columns, const Word& word, Shape shape)
      : LazyTensor(Dtype::kU32, std::move(shape)), columns_(std::move(columns)), word_(word) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    const uint64_t width = shape()[1];
    // As many whole rows as a word has codes are as many words as one row of columns_.
    for_each_row_piece(begin, count, word_.codes * width, budget_words(scratch), [&](const RowPiece& bundle) {
      std::byte* to = out + bundle.done * sizeof(uint32_t);
      if (bundle.cols == word_.codes * width) return repack_bundle(bundle, to, scratch);
      for_each_row_piece(begin + bundle.done, bundle.cols, width, budget_words(scratch) / word_.codes, [&](const RowPiece& piece) {
        for (uint64_t i = 0; i < piece.rows; ++i) {
          repack_part(piece.row + i, piece.col, piece.cols, to + (piece.done + i * piece.cols) * sizeof(uint32_t), scratch);
        }
      });
    });
  }

  uint64_t preferred_count() const override { return columns_->preferred_count(); }

 private:
  uint64_t budget_words(const Scratch& scratch) const { return std::max(budget_elements(scratch, sizeof(uint32_t)), word_.codes); }

  void repack_bundle(const RowPiece& bundle, std::byte* out, Scratch& scratch) const {
    const uint64_t all = bundle.rows * bundle.cols;
    const Scratch::Block tile(scratch, all * sizeof(uint32_t));
    columns_->read(bundle.row * bundle.cols, all, tile.data(), scratch);
    const uint64_t row_bytes = shape()[1] * sizeof(uint32_t);
    for (uint64_t i = 0; i < bundle.rows; ++i) {
      std::byte* rows[8];
      for (uint64_t k = 0; k < word_.codes; ++k) rows[word_.place[k]] = out + (i * word_.codes + k) * row_bytes;
      transpose_codes(word_.bits, tile.data() + i * bundle.cols * sizeof(uint32_t), shape()[1], rows);
    }
  }

  void repack_part(uint64_t row, uint64_t col, uint64_t count, std::byte* out, Scratch& scratch) const {
    constexpr uint64_t kBlocks = 64;
    const uint64_t block_bytes = word_.codes * sizeof(uint32_t);
    const Scratch::Block tile(scratch, count * block_bytes);
    columns_->read((row / word_.codes * shape()[1] + col) * word_.codes, count * word_.codes, tile.data(), scratch);
    uint32_t transposed[8][kBlocks];
    std::byte* rows[8];
    for (uint64_t k = 0; k < word_.codes; ++k) rows[k] = reinterpret_cast<std::byte*>(transposed[k]);
    for (uint64_t done = 0; done < count; done += kBlocks) {
      const uint64_t n = std::min(kBlocks, count - done);
      transpose_codes(word_.bits, tile.data() + done * block_bytes, n, rows);
      std::memcpy(out + done * sizeof(uint32_t), transposed[word_.place[row % word_.codes]], n * sizeof(uint32_t));
    }
  }

  const TensorRef columns_;
  const Word word_;
};

}  // namespace

TensorRef awq_repack(const TensorRef& qweight, uint32_t bits) {
  require_dtype("awq_repack", *qweight, Dtype::kI32);
  require_rank("awq_repack", *qweight, 2);
  const Word word = word_of(bits);
  const uint64_t inputs = qweight->shape()[0];
  if (inputs % word.codes != 0) fail_shape("awq_repack", fmt::format("{} inputs, expected a multiple of {}", inputs, word.codes));
  return std::make_shared<Repacked>(swapaxes(qweight, 0, 1), word, Shape{qweight->shape()[1] * word.codes, inputs / word.codes});
}

TensorRef awq_biases(const TensorRef& qzeros, const TensorRef& scales, uint32_t bits) {
  require_float("awq_biases", *scales);
  require_rank("awq_biases", *scales, 2);
  if (!qzeros) return swapaxes(multiply_scalar(scales, -static_cast<double>(1u << (bits - 1))), 0, 1);
  require_dtype("awq_biases: qzeros", *qzeros, Dtype::kI32);
  return swapaxes(zero_biases(unpack_codes(qzeros, bits, CodeOrder::kAwq), scales), 0, 1);
}

}  // namespace hf2mlx::ops
