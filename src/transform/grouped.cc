// grouped_values(): codes that a table turns into numbers, with a scale and perhaps a zero point for each group of a row. And scaled_by().
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

constexpr uint64_t kMostCodes = 256;

class GroupedValues final : public LazyTensor {
 public:
  GroupedValues(GroupedCodes parts, Dtype dtype, Shape shape)
      : LazyTensor(dtype, std::move(shape)),
        parts_(std::move(parts)),
        cols_(cols_of(this->shape())),
        groups_(cols_of(parts_.scales->shape())) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    if (count == 0) return;
    alignas(64) float numbers[kMostCodes] = {};
    const uint64_t size = parts_.table ? element_count(parts_.table->shape()) : 0;
    if (parts_.table) parts_.table->read(0, size, reinterpret_cast<std::byte*>(numbers), scratch);
    const CodeTable table{parts_.table ? numbers : nullptr, static_cast<uint32_t>(size)};
    const uint64_t index_bytes = parts_.group_of ? sizeof(int32_t) : 0;
    const uint64_t bytes_per_row = cols_ * (1 + index_bytes) + groups_ * kGroupBytes;
    const uint64_t affordable = budget_elements(scratch, 1) / bytes_per_row * cols_;
    const uint64_t part = std::max<uint64_t>(budget_elements(scratch, 1) / (1 + index_bytes + kGroupBytes), 1);
    for_each_row_piece(begin, count, cols_, affordable > 0 ? affordable : part,
                       [&](const RowPiece& piece) { read_piece(piece, table, out + piece.done * size_of(dtype()), scratch); });
  }

 private:
  // A scale and a zero point as stored and as float32.
  static constexpr uint64_t kGroupBytes = 3 * sizeof(float) + 1;

  // The groups that a piece needs of each of its rows: all where the columns are assigned to them one by one.
  struct Groups {
    uint64_t first;
    uint64_t count;
  };

  Groups groups_of(const RowPiece& piece) const {
    if (parts_.group_of || piece.rows > 1) return {0, groups_};
    const uint64_t first = piece.col / parts_.group_size;
    return {first, (piece.col + piece.cols - 1) / parts_.group_size - first + 1};
  }

  void read_piece(const RowPiece& piece, const CodeTable& table, std::byte* out, Scratch& scratch) const {
    const Groups groups = groups_of(piece);
    const uint64_t all = groups.count * piece.rows;
    const Scratch::Block scales(scratch, all * sizeof(float));
    const Scratch::Block zeros(scratch, all * sizeof(float));
    const Scratch::Block columns(scratch, parts_.group_of ? piece.cols * sizeof(int32_t) : 0);
    const Scratch::Block codes(scratch, piece.rows * piece.cols);
    const uint64_t first = piece.row * groups_ + groups.first;
    float* floats = reinterpret_cast<float*>(scales.data());
    float* float_zeros = reinterpret_cast<float*>(zeros.data());
    int32_t* group_of = parts_.group_of ? reinterpret_cast<int32_t*>(columns.data()) : nullptr;
    for_each_tile(*parts_.scales, first, all, scratch,
                  [&](const std::byte* in, uint64_t done, uint64_t n) { load_floats(parts_.scales->dtype(), in, floats + done, n); });
    read_zeros(first, all, float_zeros, scratch);
    if (group_of) read_columns(piece, group_of, scratch);
    parts_.codes->read(piece.row * cols_ + piece.col, piece.rows * piece.cols, codes.data(), scratch);
    for (uint64_t i = 0; i < piece.rows; ++i) {
      const Row row{codes.data() + i * piece.cols, floats + i * groups.count, float_zeros + i * groups.count, group_of,
                    piece.col - groups.first * parts_.group_size};
      decode_row(row, table, piece.cols, out + i * piece.cols * size_of(dtype()));
    }
  }

  struct Row {
    const std::byte* codes;
    const float* scales;
    const float* zeros;
    const int32_t* group_of;
    uint64_t skew;  // columns between the first group's first and the piece's first
  };

  void decode_row(const Row& row, const CodeTable& table, uint64_t count, std::byte* out) const {
    alignas(64) float values[kFloatBlock];
    for (uint64_t done = 0; done < count; done += kFloatBlock) {
      const uint64_t n = std::min(kFloatBlock, count - done);
      if (row.group_of)
        values_of_codes(table, row.codes + done, n, CodeGroups{row.group_of + done, row.scales, row.zeros}, values);
      else
        values_of_codes(table, row.codes + done, n, CodeRuns{parts_.group_size, row.skew + done, row.scales, row.zeros}, values);
      convert_elements(Dtype::kF32, reinterpret_cast<const std::byte*>(values), dtype(), out + done * size_of(dtype()), n);
    }
  }

  void read_zeros(uint64_t first, uint64_t count, float* zeros, Scratch& scratch) const {
    std::fill_n(zeros, count, static_cast<float>(parts_.zero));
    if (!parts_.zeros) return;
    for_each_tile(*parts_.zeros, first, count, scratch, [&](const std::byte* in, uint64_t done, uint64_t n) {
      std::transform(in, in + n, zeros + done, [](std::byte zero) { return static_cast<float>(std::to_integer<uint32_t>(zero)); });
    });
  }

  void read_columns(const RowPiece& piece, int32_t* group_of, Scratch& scratch) const {
    parts_.group_of->read(piece.col, piece.cols, reinterpret_cast<std::byte*>(group_of), scratch);
    for (uint64_t i = 0; i < piece.cols; ++i) {
      if (group_of[i] >= 0 && static_cast<uint64_t>(group_of[i]) < groups_) continue;
      throw Error(ErrorCode::kCorrupt, fmt::format("grouped_values: group {} found, expected one of {}", group_of[i], groups_));
    }
  }

  const GroupedCodes parts_;
  const uint64_t cols_;
  const uint64_t groups_;
};

class ScaledBy final : public LazyTensor {
 public:
  ScaledBy(TensorRef base, TensorRef factor, Factor how)
      : LazyTensor(Dtype::kF32, base->shape()), base_(std::move(base)), factor_(std::move(factor)), how_(how) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    float factor;
    factor_->read(0, 1, reinterpret_cast<std::byte*>(&factor), scratch);
    for_each_tile(*base_, begin, count, scratch, [&](const std::byte* in, uint64_t done, uint64_t n) {
      map_floats(base_->dtype(), in, dtype(), out + done * size_of(dtype()), n, [&](float* values, uint64_t m, uint64_t) {
        for (uint64_t i = 0; i < m; ++i) values[i] = how_ == Factor::kMultiply ? values[i] * factor : values[i] / factor;
      });
    });
  }

 private:
  const TensorRef base_;
  const TensorRef factor_;
  const Factor how_;
};

}  // namespace

TensorRef grouped_values(const GroupedCodes& parts, Dtype dtype) {
  require_dtype("grouped_values: codes", *parts.codes, Dtype::kU8);
  if (parts.table) require_dtype("grouped_values: table", *parts.table, Dtype::kF32);
  const Shape& shape = parts.codes->shape();
  const uint64_t numbers = parts.table ? element_count(parts.table->shape()) : 0;
  if (shape.empty() || parts.group_size == 0 || !is_float(dtype) || numbers > kMostCodes) {
    fail_shape("grouped_values", fmt::format("codes {}, groups of {}, a table of {}", to_string(shape), parts.group_size, numbers));
  }
  Shape groups = shape;
  groups.back() = parts.group_of ? cols_of(parts.scales->shape()) : (shape.back() + parts.group_size - 1) / parts.group_size;
  require_shape("grouped_values: scales", *parts.scales, groups);
  if (parts.zeros) require_dtype("grouped_values: zeros", *parts.zeros, Dtype::kU8);
  if (parts.zeros) require_shape("grouped_values: zeros", *parts.zeros, groups);
  if (parts.group_of) require_dtype("grouped_values: groups", *parts.group_of, Dtype::kI32);
  if (parts.group_of) require_shape("grouped_values: groups", *parts.group_of, {shape.back()});
  return std::make_shared<GroupedValues>(parts, dtype, shape);
}

TensorRef scaled_by(const TensorRef& t, const TensorRef& factor, Factor how) {
  require_dtype("scaled_by: factor", *factor, Dtype::kF32);
  if (element_count(factor->shape()) != 1) fail_shape("scaled_by", fmt::format("{} factors, expected one", to_string(factor->shape())));
  return std::make_shared<ScaledBy>(t, factor, how);
}

}  // namespace hf2mlx::ops
