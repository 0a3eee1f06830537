// BitNet: codes of -1, 0 and 1, four rows that are a quarter of the height apart in a byte, and one scale for the whole.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "decode/session.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

constexpr uint32_t kRowsInByte = 4;
constexpr uint32_t kBits = 2;

// U8 [rows, cols], one more than what they stand for. Rows that fill up the last quarter go where biases tell the height.
TensorRef codes_of(const TensorRef& bytes, uint64_t rows) {
  std::vector<TensorRef> quarters;
  for (uint32_t i = 0; i < kRowsInByte; ++i) quarters.push_back(ops::bit_field(bytes, kBits * i, kBits));
  return ops::slice(ops::concat(quarters, 0), 0, 0, static_cast<int64_t>(rows));
}

// transformers divides by the scale, but for layers of the class that was trained so, which it multiplies.
ops::Factor use_of_scale(const Json& settings) {
  return text_setting(settings, "linear_class") == "autobitlinear" ? ops::Factor::kMultiply : ops::Factor::kDivide;
}

void decode_layer(DecodeSession& session, const std::string& layer, const TensorRef& bytes) {
  session.refuse_ignored(layer);
  const TensorRef scale = session.find(layer + ".weight_scale");
  if (bytes->shape().size() != 2 || element_count(bytes->shape()) == 0 || element_count(scale->shape()) != 1 || !is_float(scale->dtype())) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}.weight: U8 {} with weight_scale {} {} found, a matrix with one float expected", layer,
                                                 to_string(bytes->shape()), name_of(scale->dtype()), to_string(scale->shape())));
  }
  const TensorRef bias = session.find(layer + ".bias");
  const uint64_t most_rows = bytes->shape()[0] * kRowsInByte;
  const uint64_t rows = bias ? std::min(element_count(bias->shape()), most_rows) : most_rows;
  const TensorRef codes = codes_of(bytes, rows);
  const TensorRef number = ops::reshape(ops::cast(scale, Dtype::kF32), {1});
  const TensorRef factor =
      ops::cast(ops::scaled_by(ops::constant({1.0f}, Dtype::kF32), number, use_of_scale(session.settings())), scale->dtype());
  session.drop(layer + ".weight_scale");
  const uint64_t cols = bytes->shape()[1];
  session.put_integers(
      layer, {kBits, ops::pack_codes(codes, kBits), ops::broadcast(ops::reshape(factor, {1, 1}), {rows, 1}), nullptr, cols, nullptr, 1});
}

}  // namespace

void decode_bitnet(DecodeSession& session) {
  bool any = false;
  for (const std::string& layer : session.layers_with(".weight_scale")) {
    const TensorRef bytes = session.find(layer + ".weight");
    if (!bytes || bytes->dtype() != Dtype::kU8) continue;
    decode_layer(session, layer, bytes);
    any = true;
  }
  if (any) return;
  refuse_unfounded("bitnet");
}

}  // namespace hf2mlx
