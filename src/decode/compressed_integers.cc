// compressed-tensors' pack-quantized layers: integer codes in words, with what config_groups says of them.
#include <fmt/format.h>

#include <algorithm>

#include "decode/session.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

const Json& weights_of(const Json& settings, const std::string& layer) {
  if (const Json* weights = group_weights(settings, layer)) return *weights;
  throw Error(ErrorCode::kCorrupt,
              fmt::format("config.json: no group of config_groups is for {}, but {}.weight_packed is there", layer, layer));
}

struct Codes {
  uint32_t bits;
  int64_t group_size;  // 0: one for each row, or for the whole
  bool symmetric;
};

Codes codes_of(const Json& weights, const std::string& layer) {
  const int64_t bits = integer_setting(weights, "num_bits", 4);
  const std::string type = text_setting(weights, "type");
  if (type == "float")
    throw Error(ErrorCode::kCorrupt, fmt::format("config.json: {} stated as floats, but {}.weight_packed is I32", layer, layer));
  if (bits < 2 || !has_codes(static_cast<uint32_t>(std::min<int64_t>(bits, 9)), CodeOrder::kInOrder)) {
    throw Error(ErrorCode::kUnsupported, fmt::format("config.json: pack-quantized with num_bits {} found, 2 to 6 or 8 expected", bits));
  }
  const Json symmetric = weights.value("symmetric", Json(true));
  return {static_cast<uint32_t>(bits), integer_setting(weights, "group_size", 0), !symmetric.is_boolean() || symmetric.get<bool>()};
}

// As unsigned numbers that are taken off unsigned codes. They lie packed along the outputs, or as signed bytes.
TensorRef zero_points(const std::string& layer, const TensorRef& stored, uint32_t bits, const Shape& groups) {
  if (stored->dtype() == Dtype::kI8 && element_count(stored->shape()) == element_count(groups)) {
    return ops::shift_codes(ops::view(ops::reshape(stored, groups), Dtype::kU8), 1u << (bits - 1), bits);
  }
  const uint64_t words = (groups[0] * bits + 31) / 32;
  if (stored->dtype() != Dtype::kI32 || stored->shape() != Shape{words, groups[1]}) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}.weight_zero_point: {} {} found, I32 [{}, {}] expected", layer,
                                                 name_of(stored->dtype()), to_string(stored->shape()), words, groups[1]));
  }
  // Words that nobody reads, so that the last codes are whole ones.
  const int64_t missing = static_cast<int64_t>((bits - words % bits) % bits);
  const bool fills_bytes = 8 % bits == 0;
  const TensorRef filled =
      fills_bytes || missing == 0 ? stored : ops::concat({stored, ops::repeat(ops::slice(stored, 0, 0, 1), 0, missing)}, 0);
  const TensorRef by_group = ops::unpack_codes(ops::swapaxes(filled, 0, 1), bits, CodeOrder::kInOrder);
  return ops::swapaxes(ops::slice(by_group, 1, 0, static_cast<int64_t>(groups[0])), 0, 1);
}

// Scales as [outputs, groups], and how many inputs a group has.
struct Groups {
  uint64_t size;
  Shape shape;
  TensorRef scales;
};

Groups groups_of(const std::string& layer, const Codes& codes, const LazyTensor& packed, const TensorRef& stored) {
  const uint64_t outputs = packed.shape()[0];
  const uint64_t inputs = packed.shape()[1] * 32 / codes.bits;
  const uint64_t size = codes.group_size > 0 ? static_cast<uint64_t>(codes.group_size) : inputs;
  const Shape shape{outputs, (inputs + size - 1) / size};
  const uint64_t count = element_count(stored->shape());
  if (count == element_count(shape)) return {size, shape, ops::reshape(stored, shape)};
  if (count == 1 && codes.group_size <= 0) return {size, shape, ops::broadcast(ops::reshape(stored, {1, 1}), shape)};
  throw Error(ErrorCode::kCorrupt,
              fmt::format("config.json: num_bits {} and group_size {} stated, but {}.weight_scale is {} beside weight_packed {}",
                          codes.bits, codes.group_size, layer, to_string(stored->shape()), to_string(packed.shape())));
}

void decode_layer(DecodeSession& session, const std::string& layer, const TensorRef& packed) {
  session.refuse_ignored(layer);
  const std::string packed_name = layer + ".weight_packed";
  const Codes codes = codes_of(weights_of(session.settings(), layer), layer);
  const TensorRef scales = session.need(layer + ".weight_scale", packed_name);
  if (packed->shape().size() != 2 || element_count(packed->shape()) == 0 || !is_float(scales->dtype())) {
    throw Error(ErrorCode::kUnsupported, fmt::format("{}: I32 {} with scales {} found, a matrix with float scales expected", packed_name,
                                                     to_string(packed->shape()), name_of(scales->dtype())));
  }
  if (packed->shape()[1] * 32 % codes.bits != 0) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: I32 {} found, rows of codes of {} bits without a gap expected", packed_name, to_string(packed->shape()),
                            codes.bits),
                "compressed-tensors 0.20 packs them so; earlier versions left gaps between words");
  }
  const Groups groups = groups_of(layer, codes, *packed, scales);
  IntegerLayer integers{codes.bits, ops::view(packed, Dtype::kU32), groups.scales, nullptr, groups.size, nullptr};
  if (const TensorRef zeros = session.find(layer + ".weight_zero_point")) {
    if (codes.symmetric && zeros->dtype() == Dtype::kI32) {
      throw Error(ErrorCode::kCorrupt, fmt::format("config.json: {} stated as symmetric, but {}.weight_zero_point is there", layer, layer));
    }
    integers.zeros = zero_points(layer, zeros, codes.bits, groups.shape);
  } else if (!codes.symmetric) {
    throw Error(ErrorCode::kCorrupt,
                fmt::format("config.json: {} stated as not symmetric, but {}.weight_zero_point is missing", layer, layer));
  }
  if (const TensorRef indices = session.find(layer + ".weight_g_idx")) {
    integers.group_of = checked_groups(layer + ".weight_g_idx", indices, packed->shape()[1] * 32 / codes.bits, groups.size);
  }
  for (const char* part : {".weight_packed", ".weight_scale", ".weight_zero_point", ".weight_shape", ".weight_g_idx"})
    session.drop(layer + part);
  session.put_integers(layer, integers);
}

}  // namespace

void decode_compressed_integers(DecodeSession& session) {
  for (const std::string& layer : session.layers_with(".weight_packed")) {
    const TensorRef packed = session.find(layer + ".weight_packed");
    if (packed->dtype() == Dtype::kI32) decode_layer(session, layer, packed);
  }
}

}  // namespace hf2mlx
