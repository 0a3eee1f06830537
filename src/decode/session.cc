// The state of one decoding, and small readers.
#include "decode/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "transform/ops.h"
#include "transform/scratch.h"

namespace hf2mlx {
namespace {

// The largest of MLX's affine group sizes that divides `group`; 0: none.
uint32_t affine_group(uint64_t group) {
  for (const uint32_t size : {128u, 64u, 32u}) {
    if (group % size == 0) return size;
  }
  return 0;
}

// What is taken off every code of a layer without zero points of its own.
uint32_t common_zero(const IntegerLayer& layer) { return layer.zero.value_or(1u << (layer.bits - 1)); }

TensorRef float_values(const IntegerLayer& layer) {
  const TensorRef codes = ops::unpack_codes(layer.words, layer.bits, CodeOrder::kInOrder);
  return ops::grouped_values({codes, nullptr, layer.scales, layer.zeros, layer.group_size, layer.group_of, common_zero(layer)},
                             layer.scales->dtype());
}

}  // namespace

TensorRef DecodeSession::find(const std::string& name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : it->second;
}

TensorRef DecodeSession::need(const std::string& name, const std::string& beside) const {
  const TensorRef found = find(name);
  if (!found) throw Error(ErrorCode::kCorrupt, "checkpoint: " + name + " is missing beside " + beside);
  return found;
}

std::vector<std::string> DecodeSession::layers_with(std::string_view suffix) const {
  std::vector<std::string> layers;
  for (const auto& [name, tensor] : tensors_) {
    if (name.ends_with(suffix)) layers.push_back(name.substr(0, name.size() - suffix.size()));
  }
  return layers;
}

void DecodeSession::put_packed(PackedLayer layer) {
  put(layer.name + ".weight", layer.weight);
  put(layer.name + ".scales", layer.scales);
  if (layer.biases) put(layer.name + ".biases", layer.biases);
  result_.packed.push_back(std::move(layer));
}

void DecodeSession::put_integers(const std::string& layer, const IntegerLayer& integers) {
  const uint64_t cols = cols_of(integers.words->shape()) * 32 / integers.bits;
  const uint32_t own_size = integers.group_of || cols % integers.group_size != 0 ? 0 : affine_group(integers.group_size);
  if (own_size == 0 || packing_(layer) == Packing::kDecode) return put(layer + ".weight", float_values(integers));
  const TensorRef biases = integers.zeros ? ops::zero_biases(integers.zeros, integers.scales)
                                          : ops::multiply_scalar(integers.scales, -static_cast<double>(common_zero(integers)));
  const auto repeated = [&](const TensorRef& t) {
    return integers.group_size == own_size ? t : ops::repeat(t, 1, integers.group_size / own_size);
  };
  put_packed({layer,
              {QuantMode::kAffine, integers.bits, own_size},
              integers.words,
              repeated(integers.scales),
              repeated(biases),
              float_values(integers)});
}

void DecodeSession::put_microscaled(const std::string& layer, const TensorRef& words, const TensorRef& scales, QuantMode mode) {
  const Encoding encoding = default_encoding(mode);
  const TensorRef values = ops::dequantize(words, scales, nullptr, encoding, Dtype::kBF16);
  if (packing_(layer) == Packing::kDecode) return put(layer + ".weight", values);
  put_packed({layer, encoding, words, scales, nullptr, values});
}

int64_t integer_setting(const Json& settings, const char* name, int64_t otherwise) {
  const auto it = settings.find(name);
  if (it == settings.end() || it->is_null()) return otherwise;
  if (it->is_number_integer()) return it->get<int64_t>();
  throw Error(ErrorCode::kCorrupt, fmt::format("config.json: quantization_config.{} is {}, an integer expected", name, it->dump()));
}

int64_t stated_bits(const Json& settings) { return integer_setting(settings, "bits", integer_setting(settings, "w_bit", 4)); }

int64_t stated_group_size(const Json& settings) {
  return integer_setting(settings, "group_size", integer_setting(settings, "q_group_size", 128));
}

void refuse_unfounded(const std::string& quantization) {
  throw Error(ErrorCode::kCorrupt, fmt::format("config.json: quantization '{}' stated, but no tensor is stored so", quantization),
              "where the weights are floats, take quantization_config out of config.json");
}

std::string text_setting(const Json& settings, const char* name) {
  const auto it = settings.find(name);
  if (it == settings.end() || it->is_null()) return "";
  if (it->is_string()) return it->get<std::string>();
  throw Error(ErrorCode::kCorrupt, fmt::format("config.json: quantization_config.{} is {}, a text expected", name, it->dump()));
}

std::string quant_method(const Json& stated) {
  return stated.contains("quant_method") || !stated.contains("producer") ? text_setting(stated, "quant_method") : "modelopt";
}

std::string read_small(const std::string& name, const TensorRef& tensor, uint64_t most_bytes) {
  const uint64_t count = element_count(tensor->shape());
  const uint64_t bytes = count * size_of(tensor->dtype());
  if (bytes > most_bytes) throw Error(ErrorCode::kCorrupt, fmt::format("{}: {} bytes found, at most {} expected", name, bytes, most_bytes));
  std::string text(bytes, '\0');
  Scratch scratch(64 << 10);
  tensor->read(0, count, reinterpret_cast<std::byte*>(text.data()), scratch);
  return text;
}

TensorRef checked_groups(const std::string& name, const TensorRef& indices, uint64_t cols, uint64_t group_size) {
  if (indices->dtype() != Dtype::kI32 || indices->shape() != Shape{cols}) {
    throw Error(ErrorCode::kCorrupt,
                fmt::format("{}: {} {} found, I32 [{}] expected", name, name_of(indices->dtype()), to_string(indices->shape()), cols));
  }
  const std::string bytes = read_small(name, indices, 64 << 20);
  const uint64_t groups = (cols + group_size - 1) / group_size;
  bool in_order = true;
  for (uint64_t i = 0; i < cols; ++i) {
    int32_t group;
    std::memcpy(&group, bytes.data() + i * sizeof group, sizeof group);
    if (group == -1 && i == 0) return nullptr;  // compressed-tensors fills one that is not used so
    if (group < 0 || static_cast<uint64_t>(group) >= groups) {
      throw Error(ErrorCode::kCorrupt, fmt::format("{}: group {} found, there are {}", name, group, groups));
    }
    in_order = in_order && static_cast<uint64_t>(group) == i / group_size;
  }
  return in_order ? nullptr : indices;
}

}  // namespace hf2mlx
