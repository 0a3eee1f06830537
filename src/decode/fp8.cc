// Weights of 8-bit floats with a scale for each tensor, row or block. And of signed bytes with a scale for each row.
#include <fmt/format.h>

#include <algorithm>

#include "decode/session.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

constexpr uint64_t kDefaultBlock = 128;

struct Block {
  uint64_t rows;
  uint64_t cols;
};

// Of config.json, or of the layer's group in compressed-tensors.
Block stated_block(const Json& settings, const std::string& layer) {
  const Json* group = group_weights(settings, layer);
  const Json of_group = group ? group->value("block_structure", Json()) : Json();
  const Json stated = of_group.is_null() ? settings.value("weight_block_size", Json()) : of_group;
  if (stated.is_null()) return {kDefaultBlock, kDefaultBlock};
  const auto is_extent = [](const Json& value) { return value.is_number_integer() && value.get<int64_t>() > 0; };
  if (stated.is_array() && stated.size() == 2 && std::all_of(stated.begin(), stated.end(), is_extent)) {
    return {stated[0].get<uint64_t>(), stated[1].get<uint64_t>()};
  }
  throw Error(ErrorCode::kCorrupt, fmt::format("config.json: {} is {}, two positive integers expected",
                                               of_group.is_null() ? "weight_block_size" : "block_structure", stated.dump()));
}

// The block that a scale covers, from the number of scales for each matrix.
Block block_of(const Block& block, const std::string& name, const Shape& shape, const Shape& scales) {
  const uint64_t rows = shape[shape.size() - 2];
  const uint64_t cols = shape.back();
  const uint64_t matrices = element_count(shape) / (rows * cols);
  const uint64_t count = element_count(scales);
  const uint64_t high = (rows + block.rows - 1) / block.rows;
  const uint64_t wide = (cols + block.cols - 1) / block.cols;
  const bool grid = scales.size() >= 2 && scales[scales.size() - 2] == high && scales.back() == wide;
  if (grid && count == matrices * high * wide) return block;
  if (count == matrices) return {rows, cols};
  if (count == matrices * rows && (scales.back() == 1 || scales.back() == rows)) return {1, cols};
  throw Error(ErrorCode::kCorrupt, fmt::format("config.json: blocks of {} x {} stated, but {} is {} for a weight {}", block.rows,
                                               block.cols, name, to_string(scales), to_string(shape)));
}

// LAYER of LAYER.weight, or the name of a tensor that is not called so.
std::string layer_of(const std::string& name) { return name.ends_with(".weight") ? name.substr(0, name.size() - 7) : name; }

// mxfp8: an exponent for each 32 values of a row.
bool is_microscaled(const LazyTensor& weight, const LazyTensor& scales) {
  Shape groups = weight.shape();
  if (weight.dtype() != Dtype::kF8E4M3 || groups.back() % 32 != 0) return false;
  groups.back() /= 32;
  return (scales.dtype() == Dtype::kU8 || scales.dtype() == Dtype::kF8E8M0) && scales.shape() == groups;
}

void decode_fp8_tensor(DecodeSession& session, const std::string& name, const TensorRef& weight) {
  const std::string scale_name = fp8_scale_name(session.tensors(), name, *weight);
  if (scale_name.empty())
    throw Error(ErrorCode::kCorrupt,
                fmt::format("checkpoint: {} is {} without a scale: neither {}_scale_inv, {}_scale nor {}.scale is there", name,
                            name_of(weight->dtype()), name, name, layer_of(name)));
  session.refuse_ignored(layer_of(name));
  const TensorRef scales = session.find(scale_name);
  session.drop(scale_name);
  if (name.ends_with(".weight") && is_microscaled(*weight, *scales)) {
    return session.put_microscaled(layer_of(name), ops::view(weight, Dtype::kU32), ops::view(scales, Dtype::kU8), QuantMode::kMxfp8);
  }
  if (weight->shape().size() < 2 || element_count(weight->shape()) == 0) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: {} {} found, a matrix expected", name, name_of(weight->dtype()), to_string(weight->shape())));
  }
  const Block block = block_of(stated_block(session.settings(), layer_of(name)), scale_name, weight->shape(), scales->shape());
  session.put(name, ops::fp8_dequant(weight, scales, block.rows, block.cols, Dtype::kBF16));
}

}  // namespace

bool is_fp8(Dtype dtype) { return dtype == Dtype::kF8E4M3 || dtype == Dtype::kF8E5M2; }

std::string fp8_scale_name(const TensorMap& tensors, const std::string& name, const LazyTensor& tensor) {
  if (!is_fp8(tensor.dtype())) return "";
  for (const std::string& candidate : {name + "_scale_inv", name + "_scale", layer_of(name) + ".scale"}) {
    if (tensors.count(candidate)) return candidate;
  }
  return "";
}

void decode_fp8(DecodeSession& session) {
  std::vector<std::pair<std::string, TensorRef>> weights;
  for (const auto& [name, tensor] : session.tensors()) {
    if (is_fp8(tensor->dtype())) weights.emplace_back(name, tensor);
  }
  for (const auto& [name, tensor] : weights) decode_fp8_tensor(session, name, tensor);
}

// compressed-tensors' int8 weights.
void decode_int8_weights(DecodeSession& session) {
  for (const std::string& layer : session.layers_with(".weight_scale")) {
    const TensorRef weight = session.find(layer + ".weight");
    if (!weight || weight->dtype() != Dtype::kI8) continue;
    session.refuse_ignored(layer);
    const TensorRef scales = session.find(layer + ".weight_scale");
    if (session.find(layer + ".weight_zero_point"))
      throw Error(ErrorCode::kUnsupported, layer + ".weight: int8 with zero points cannot be decoded");
    if (weight->shape().size() != 2 || !is_float(scales->dtype())) {
      throw Error(ErrorCode::kCorrupt,
                  fmt::format("{}.weight: I8 {} with scales {}", layer, to_string(weight->shape()), name_of(scales->dtype())));
    }
    const uint64_t rows = weight->shape()[0];
    const uint64_t cols = weight->shape()[1];
    const uint64_t count = element_count(scales->shape());
    if (count != 1 && (rows == 0 || count % rows != 0 || cols % (count / rows) != 0)) {
      throw Error(ErrorCode::kCorrupt,
                  fmt::format("{}.weight_scale is {} for a weight {}", layer, to_string(scales->shape()), to_string(weight->shape())));
    }
    const uint64_t groups = count == 1 ? 1 : count / rows;
    const TensorRef each = ops::broadcast(ops::reshape(scales, {count == 1 ? 1 : rows, groups}), {rows, groups});
    const TensorRef codes = ops::shift_codes(ops::view(weight, Dtype::kU8), 128, 8);
    session.drop(layer + ".weight_scale");
    session.put(layer + ".weight",
                ops::grouped_values({codes, integer_table(8, 128), each, nullptr, cols / groups, nullptr}, scales->dtype()));
  }
}

}  // namespace hf2mlx
