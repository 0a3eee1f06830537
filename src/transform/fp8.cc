// fp8_dequant(): 8-bit floats with one scale for each block.
#include <fmt/format.h>

#include <utility>

#include "hf2mlx/error.h"
#include "quant/codes.h"
#include "transform/blocks.h"
#include "transform/check.h"
#include "transform/ops.h"

namespace hf2mlx::ops {
namespace {

uint64_t blocks_of(uint64_t size, uint64_t block) { return (size + block - 1) / block; }

// The matrices of a [..., m, n] tensor, and the grid of scales that lies over each.
struct Grid {
  uint64_t rows;
  uint64_t cols;
  uint64_t block_rows;
  uint64_t block_cols;

  uint64_t width() const { return blocks_of(cols, block_cols); }
  uint64_t height() const { return blocks_of(rows, block_rows); }
  // `row` counts through all matrices.
  uint64_t first_scale(uint64_t row) const { return (row / rows * height() + row % rows / block_rows) * width(); }
};

class BlockScaled final : public LazyTensor {
 public:
  BlockScaled(TensorRef codes, TensorRef scales, const Grid& grid, Dtype dtype)
      : LazyTensor(dtype, codes->shape()), codes_(std::move(codes)), scales_(std::move(scales)), grid_(grid) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    // For each row there is at most one row of scales, stored and as floats.
    const uint64_t bytes_per_row = grid_.cols + grid_.width() * kScaleBytes;
    const uint64_t affordable = budget_elements(scratch, 1) / bytes_per_row * grid_.cols;
    const uint64_t max_elements = affordable > 0 ? affordable : std::max<uint64_t>(budget_elements(scratch, 1) / (1 + kScaleBytes), 1);
    for_each_row_piece(begin, count, grid_.cols, max_elements,
                       [&](const RowPiece& piece) { read_piece(begin + piece.done, piece, out + piece.done * size_of(dtype()), scratch); });
  }

 private:
  static constexpr uint64_t kScaleBytes = 2 * sizeof(float);

  void read_piece(uint64_t begin, const RowPiece& piece, std::byte* out, Scratch& scratch) const {
    const uint64_t first = grid_.first_scale(piece.row) + piece.col / grid_.block_cols;
    const uint64_t last = grid_.first_scale(piece.row + piece.rows - 1) + (piece.col + piece.cols - 1) / grid_.block_cols;
    const Scratch::Block floats(scratch, (last - first + 1) * sizeof(float));
    float* scales = reinterpret_cast<float*>(floats.data());
    for_each_tile(*scales_, first, last - first + 1, scratch,
                  [&](const std::byte* in, uint64_t done, uint64_t n) { load_floats(scales_->dtype(), in, scales + done, n); });
    const Scratch::Block codes(scratch, piece.rows * piece.cols);
    codes_->read(begin, piece.rows * piece.cols, codes.data(), scratch);
    for (uint64_t i = 0; i < piece.rows; ++i) {
      const float* row_scales = scales + (grid_.first_scale(piece.row + i) - grid_.first_scale(piece.row));
      scale_row(codes.data() + i * piece.cols, piece.col, piece.cols, row_scales, out + i * piece.cols * size_of(dtype()));
    }
  }

  // `scales` begins with that of column `col`.
  void scale_row(const std::byte* codes, uint64_t col, uint64_t count, const float* scales, std::byte* out) const {
    const uint64_t skew = col % grid_.block_cols;
    const Dtype coded = codes_->dtype() == Dtype::kU8 ? Dtype::kF8E4M3 : codes_->dtype();
    map_floats(coded, codes, dtype(), out, count, [&](float* values, uint64_t n, uint64_t done) {
      scale_values(n, {grid_.block_cols, skew + done, scales, nullptr}, values);
    });
  }

  const TensorRef codes_;
  const TensorRef scales_;
  const Grid grid_;
};

void require_dtypes(const LazyTensor& codes, const LazyTensor& scales, Dtype dtype) {
  const bool codes_fit = codes.dtype() == Dtype::kF8E4M3 || codes.dtype() == Dtype::kF8E5M2 || codes.dtype() == Dtype::kU8;
  const bool scales_fit = is_float(scales.dtype()) || scales.dtype() == Dtype::kF8E8M0;
  if (codes_fit && scales_fit && is_float(dtype)) return;
  throw Error(ErrorCode::kUnsupported,
              fmt::format("fp8_dequant: {} with scales {} to {}, expected F8_E4M3 or F8_E5M2 with float or F8_E8M0 scales to a float",
                          name_of(codes.dtype()), name_of(scales.dtype()), name_of(dtype)));
}

}  // namespace

TensorRef fp8_dequant(const TensorRef& codes, const TensorRef& scales, uint64_t block_rows, uint64_t block_cols, Dtype dtype) {
  require_dtypes(*codes, *scales, dtype);
  const Shape& shape = codes->shape();
  if (shape.size() < 2 || block_rows == 0 || block_cols == 0) {
    fail_shape("fp8_dequant", fmt::format("blocks of {} x {} in shape {}", block_rows, block_cols, to_string(shape)));
  }
  const Grid grid{shape[shape.size() - 2], shape.back(), block_rows, block_cols};
  const uint64_t matrix = grid.rows * grid.cols;
  const uint64_t expected = matrix == 0 ? 0 : element_count(shape) / matrix * grid.height() * grid.width();
  if (element_count(scales->shape()) != expected) {
    fail_shape("fp8_dequant", fmt::format("scales {}, expected {} of them for {} in blocks of {} x {}", to_string(scales->shape()),
                                          expected, to_string(shape), block_rows, block_cols));
  }
  return std::make_shared<BlockScaled>(codes, scales, grid, dtype);
}

}  // namespace hf2mlx::ops
