// MLX's quantized encodings as operations. Every group is encoded on its own and groups lie one after the other, so any whole number of
// groups is to the codec one row.
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <utility>

#include "hf2mlx/error.h"
#include "transform/blocks.h"
#include "transform/check.h"
#include "transform/ops.h"

namespace hf2mlx::ops {
namespace {

struct GroupBytes {
  uint64_t packed;
  uint64_t scales;
  uint64_t biases;
  uint64_t total() const { return packed + scales + biases; }
};

uint64_t group_words(const Encoding& e) { return packed_words(e, e.group_size); }

GroupBytes group_bytes(const Encoding& e, Dtype values) {
  const uint64_t scale = size_of(scale_dtype(e, values));
  return {group_words(e) * sizeof(uint32_t), scale, has_biases(e) ? scale : 0};
}

// Room for `groups` groups in their encoded form.
class EncodedBlock {
 public:
  EncodedBlock(Scratch& scratch, const GroupBytes& bytes, uint64_t groups)
      : packed_(scratch, bytes.packed * groups), scales_(scratch, bytes.scales * groups), biases_(scratch, bytes.biases * groups) {}

  EncodedRows rows() const { return {packed_.data(), scales_.data(), biases_.data()}; }
  ConstEncodedRows const_rows() const { return {packed_.data(), scales_.data(), biases_.data()}; }

 private:
  Scratch::Block packed_;
  Scratch::Block scales_;
  Scratch::Block biases_;
};

// Three blocks lose some bytes each to alignment.
uint64_t affordable_groups(const Scratch& scratch, uint64_t bytes_per_group) {
  constexpr uint64_t kAlignmentLoss = 4 * 64;
  const uint64_t budget = budget_elements(scratch, 1);
  return std::max<uint64_t>((budget - std::min(budget, kAlignmentLoss)) / bytes_per_group, 1);
}

// Cuts a range into runs of whole groups and parts of one group: use(first group, groups, skipped, count, done), where `count` elements are
// wanted after the first `skipped` of these groups.
template <class Use>
void for_each_group_run(uint64_t begin, uint64_t count, uint64_t per_group, uint64_t max_groups, Use use) {
  for_each_row_piece(begin, count, per_group, max_groups * per_group,
                     [&](const RowPiece& piece) { use(piece.row, piece.rows, piece.col, piece.rows * piece.cols, piece.done); });
}

class Dequantized final : public LazyTensor {
 public:
  // `biases` and `global_scales` are null where there are none.
  Dequantized(TensorRef packed, TensorRef scales, TensorRef biases, TensorRef global_scales, const Encoding& encoding, Dtype dtype,
              Shape shape)
      : LazyTensor(dtype, std::move(shape)),
        packed_(std::move(packed)),
        scales_(std::move(scales)),
        biases_(std::move(biases)),
        global_scales_(std::move(global_scales)),
        encoding_(encoding),
        bytes_(group_bytes(encoding, dtype)) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    const uint64_t element_bytes = size_of(dtype());
    const uint64_t max_groups = affordable_groups(scratch, bytes_.total());
    for_each_group_run(begin, count, encoding_.group_size, max_groups,
                       [&](uint64_t group, uint64_t groups, uint64_t skipped, uint64_t n, uint64_t done) {
                         std::byte* to = out + done * element_bytes;
                         if (n == groups * encoding_.group_size) return decode(group, groups, to, scratch);
                         const Scratch::Block values(scratch, encoding_.group_size * element_bytes);
                         decode(group, groups, values.data(), scratch);
                         std::memcpy(to, values.data() + skipped * element_bytes, n * element_bytes);
                       });
  }

 private:
  void decode(uint64_t group, uint64_t groups, std::byte* out, Scratch& scratch) const {
    const EncodedBlock block(scratch, bytes_, groups);
    packed_->read(group * group_words(encoding_), groups * group_words(encoding_), block.rows().packed, scratch);
    scales_->read(group, groups, block.rows().scales, scratch);
    if (biases_) biases_->read(group, groups, block.rows().biases, scratch);
    decode_block(group, groups, block.const_rows(), out, scratch);
  }

  // Run by run of groups that share a global scale.
  void decode_block(uint64_t group, uint64_t groups, ConstEncodedRows in, std::byte* out, Scratch& scratch) const {
    const uint64_t groups_per_matrix = global_scales_ ? element_count(shape()) / encoding_.group_size / shape()[0] : groups;
    while (groups > 0) {
      const uint64_t n = global_scales_ ? std::min(groups, groups_per_matrix - group % groups_per_matrix) : groups;
      if (global_scales_) in.global_scale = global_scale(group / groups_per_matrix, scratch);
      decode_rows(encoding_, dtype(), in, 1, n * encoding_.group_size, out);
      in.packed += n * bytes_.packed;
      in.scales += n * bytes_.scales;
      out += n * encoding_.group_size * size_of(dtype());
      group += n;
      groups -= n;
    }
  }

  float global_scale(uint64_t matrix, Scratch& scratch) const {
    float scale;
    global_scales_->read(matrix, 1, reinterpret_cast<std::byte*>(&scale), scratch);
    return scale;
  }

  const TensorRef packed_;
  const TensorRef scales_;
  const TensorRef biases_;
  const TensorRef global_scales_;
  const Encoding encoding_;
  const GroupBytes bytes_;
};

enum class Part : uint8_t { kPacked, kScales, kBiases };

class EncodedPart final : public LazyTensor {
 public:
  EncodedPart(TensorRef values, const Encoding& encoding, Part part, Dtype dtype, Shape shape)
      : LazyTensor(dtype, std::move(shape)), values_(std::move(values)), encoding_(encoding), part_(part) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    const GroupBytes bytes = group_bytes(encoding_, values_->dtype());
    const uint64_t value_bytes = encoding_.group_size * size_of(values_->dtype());
    const uint64_t per_group = part_ == Part::kPacked ? group_words(encoding_) : 1;
    const uint64_t max_groups = affordable_groups(scratch, bytes.total() + value_bytes);
    for_each_group_run(begin, count, per_group, max_groups,
                       [&](uint64_t group, uint64_t groups, uint64_t skipped, uint64_t n, uint64_t done) {
                         const EncodedBlock block(scratch, bytes, groups);
                         const Scratch::Block values(scratch, groups * value_bytes);
                         const uint64_t elements = groups * encoding_.group_size;
                         values_->read(group * encoding_.group_size, elements, values.data(), scratch);
                         encode_rows(encoding_, values_->dtype(), values.data(), 1, elements, block.rows());
                         const uint64_t element_bytes = size_of(dtype());
                         std::memcpy(out + done * element_bytes, part_of(block) + skipped * element_bytes, n * element_bytes);
                       });
  }

 private:
  const std::byte* part_of(const EncodedBlock& block) const {
    const EncodedRows rows = block.rows();
    return part_ == Part::kPacked ? rows.packed : part_ == Part::kScales ? rows.scales : rows.biases;
  }

  const TensorRef values_;
  const Encoding encoding_;
  const Part part_;
};

void require_encoding(std::string_view operation, const Encoding& encoding) {
  const std::string reason = why_unsupported(encoding);
  if (!reason.empty()) throw Error(ErrorCode::kUnsupported, fmt::format("{}: {}", operation, reason));
}

Shape with_last(Shape shape, uint64_t last) {
  shape.back() = last;
  return shape;
}

// Holds them against each other; the shape of the values.
Shape require_packed(const TensorRef& packed, const TensorRef& scales, const TensorRef& biases, const Encoding& encoding, Dtype dtype) {
  require_encoding("dequantize", encoding);
  require_dtype("dequantize", *packed, Dtype::kU32);
  if (packed->shape().empty() || packed->shape().back() % group_words(encoding) != 0) {
    fail_shape("dequantize",
               fmt::format("packed {} does not hold whole groups of {} words", to_string(packed->shape()), group_words(encoding)));
  }
  const uint64_t groups = packed->shape().back() / group_words(encoding);
  const Shape scale_shape = with_last(packed->shape(), groups);
  require_dtype("dequantize: scales", *scales, scale_dtype(encoding, dtype));
  require_shape("dequantize: scales", *scales, scale_shape);
  if (has_biases(encoding) != (biases != nullptr)) {
    fail_shape("dequantize", fmt::format("{} {} biases", name_of(encoding.mode), biases ? "has no" : "needs"));
  }
  if (biases) {
    require_dtype("dequantize: biases", *biases, dtype);
    require_shape("dequantize: biases", *biases, scale_shape);
  }
  return with_last(packed->shape(), groups * encoding.group_size);
}

}  // namespace

TensorRef dequantize(const TensorRef& packed, const TensorRef& scales, const TensorRef& biases, const Encoding& encoding, Dtype dtype) {
  return std::make_shared<Dequantized>(packed, scales, biases, nullptr, encoding, dtype,
                                       require_packed(packed, scales, biases, encoding, dtype));
}

TensorRef dequantize_affine(const TensorRef& packed, const TensorRef& scales, const TensorRef& biases, const Encoding& encoding) {
  if (!biases || biases->dtype() == scales->dtype()) return dequantize(packed, scales, biases, encoding, scales->dtype());
  return dequantize(packed, cast(scales, Dtype::kF32), cast(biases, Dtype::kF32), encoding, Dtype::kF32);
}

TensorRef dequantize_global(const TensorRef& packed, const TensorRef& scales, const TensorRef& global_scales) {
  const Encoding encoding = default_encoding(QuantMode::kNvfp4);
  const Shape shape = require_packed(packed, scales, nullptr, encoding, Dtype::kF32);
  require_dtype("dequantize: global scales", *global_scales, Dtype::kF32);
  require_shape("dequantize: global scales", *global_scales, {shape[0]});
  return std::make_shared<Dequantized>(packed, scales, nullptr, global_scales, encoding, Dtype::kF32, shape);
}

Encoded quantize(const TensorRef& values, const Encoding& encoding) {
  require_encoding("quantize", encoding);
  require_float("quantize", *values);
  if (values->shape().empty() || values->shape().back() % encoding.group_size != 0) {
    fail_shape("quantize", fmt::format("{} does not divide into groups of {}", to_string(values->shape()), encoding.group_size));
  }
  const uint64_t cols = values->shape().back();
  const Dtype scales = scale_dtype(encoding, values->dtype());
  const Shape scale_shape = with_last(values->shape(), groups(encoding, cols));
  const auto part = [&](Part which, Dtype dtype, const Shape& shape) {
    return std::make_shared<EncodedPart>(values, encoding, which, dtype, shape);
  };
  return {part(Part::kPacked, Dtype::kU32, with_last(values->shape(), packed_words(encoding, cols))),
          part(Part::kScales, scales, scale_shape), has_biases(encoding) ? part(Part::kBiases, scales, scale_shape) : nullptr};
}

}  // namespace hf2mlx::ops
