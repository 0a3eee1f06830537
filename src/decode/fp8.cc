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
  TensorRef scales = session.find(scale_name);
  session.drop(scale_name);
  if (const Shape& grid = scales->shape(); grid.size() == 4 && weight->shape().size() == 2 && grid[1] == 1 && grid[3] == 1)
    scales = ops::reshape(scales, {grid[0], grid[2]});  // ModelOpt's blocks
  const Json blocks = session.settings().value("weight_block_size", Json());
  const bool of_rows = !blocks.is_array() || blocks == Json::array({1, 32});
  if (name.ends_with(".weight") && of_rows && is_microscaled(*weight, *scales)) {
    return session.put_microscaled(layer_of(name), ops::view(weight, Dtype::kU32), ops::view(scales, Dtype::kU8), QuantMode::kMxfp8);
  }
  if (weight->shape().size() < 2 || element_count(weight->shape()) == 0) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: {} {} found, a matrix expected", name, name_of(weight->dtype()), to_string(weight->shape())));
  }
  const Block block = block_of(stated_block(session.settings(), layer_of(name)), scale_name, weight->shape(), scales->shape());
  session.put(name, ops::fp8_dequant(weight, scales, block.rows, block.cols, Dtype::kBF16));
}

// [rows, groups] of one number for the whole, for each row, or for each of several groups of a row.
TensorRef for_each_group(const std::string& name, const TensorRef& stored, const Shape& weight) {
  const uint64_t rows = weight[0];
  const uint64_t count = element_count(stored->shape());
  const bool whole = count == 1 && rows > 0;
  if (!whole && (rows == 0 || count == 0 || count % rows != 0 || weight[1] % (count / rows) != 0)) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{} is {} for a weight {}", name, to_string(stored->shape()), to_string(weight)));
  }
  const uint64_t groups = whole ? 1 : count / rows;
  return ops::broadcast(ops::reshape(stored, {whole ? 1 : rows, groups}), {rows, groups});
}

// Bytes from -128 on, as numbers from 0 on.
TensorRef as_unsigned(const TensorRef& bytes) { return ops::shift_codes(ops::view(bytes, Dtype::kU8), 128, 8); }

void decode_int8_layer(DecodeSession& session, const std::string& layer, const TensorRef& weight) {
  session.refuse_ignored(layer);
  const TensorRef stored = session.find(layer + ".weight_scale");
  if (weight->shape().size() != 2 || !is_float(stored->dtype())) {
    throw Error(ErrorCode::kCorrupt,
                fmt::format("{}.weight: I8 {} with scales {}", layer, to_string(weight->shape()), name_of(stored->dtype())));
  }
  const TensorRef scales = for_each_group(layer + ".weight_scale", stored, weight->shape());
  TensorRef zeros;
  if (const TensorRef points = session.find(layer + ".weight_zero_point")) {
    const TensorRef each = for_each_group(layer + ".weight_zero_point", points, weight->shape());
    if (points->dtype() != Dtype::kI8 || each->shape() != scales->shape()) {
      throw Error(ErrorCode::kCorrupt,
                  fmt::format("{}.weight_zero_point: {} {} found beside scales {}, I8 of the same shape expected", layer,
                              name_of(points->dtype()), to_string(points->shape()), to_string(stored->shape())));
    }
    zeros = as_unsigned(each);
  }
  const uint64_t group_size = weight->shape()[1] / cols_of(scales->shape());
  for (const char* part : {".weight_scale", ".weight_zero_point"}) session.drop(layer + part);
  session.put(layer + ".weight",
              ops::grouped_values({as_unsigned(weight), nullptr, scales, zeros, group_size, nullptr, 128}, stored->dtype()));
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

// compressed-tensors' int8 weights, perhaps with zero points.
void decode_int8_weights(DecodeSession& session) {
  for (const std::string& layer : session.layers_with(".weight_scale")) {
    const TensorRef weight = session.find(layer + ".weight");
    if (weight && weight->dtype() == Dtype::kI8) decode_int8_layer(session, layer, weight);
  }
}

}  // namespace hf2mlx
