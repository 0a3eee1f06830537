// bitsandbytes: blocks of four-bit codes of a table (nf4, fp4), whose scales may be coded themselves, and int8 with a scale for each row.
#include <fmt/format.h>

#include "decode/session.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

constexpr uint64_t kMostStateBytes = 64 << 10;

struct State {
  Shape shape;
  Dtype dtype;
  uint64_t block;
  uint64_t nested_block;
  double nested_offset;
};

uint64_t positive(const Json& value, const std::string& where) {
  if (value.is_number_integer() && value.get<int64_t>() > 0) return value.get<uint64_t>();
  throw Error(ErrorCode::kCorrupt, where + ": " + value.dump() + " found, a positive integer expected");
}

State parse_state(const std::string& name, const TensorRef& tensor) {
  const Json json = parse_json(read_small(name, tensor, kMostStateBytes), name);
  if (!json.is_object() || !json.contains("shape") || !json["shape"].is_array()) {
    throw Error(ErrorCode::kCorrupt, name + ": no \"shape\" found in it, without which the weight cannot be decoded");
  }
  State state{
      {}, Dtype::kBF16, positive(json.value("blocksize", Json(64u)), name), positive(json.value("nested_blocksize", Json(256u)), name), 0};
  for (const Json& extent : json["shape"]) state.shape.push_back(positive(extent, name));
  if (text_setting(json, "dtype") == "float16") state.dtype = Dtype::kF16;
  if (text_setting(json, "dtype") == "float32") state.dtype = Dtype::kF32;
  if (json.contains("nested_offset") && json["nested_offset"].is_number()) state.nested_offset = json["nested_offset"].get<double>();
  return state;
}

TensorRef table_of(DecodeSession& session, const std::string& name, uint64_t size) {
  const TensorRef table = session.need(name, "its weight");
  session.drop(name);
  if (table->dtype() == Dtype::kF32 && element_count(table->shape()) == size) return ops::reshape(table, {size});
  throw Error(ErrorCode::kCorrupt,
              fmt::format("{}: {} {} found, F32 [{}] expected", name, name_of(table->dtype()), to_string(table->shape()), size));
}

// One row of numbers from one row of codes, with a scale for each block.
TensorRef blocks(const TensorRef& codes, const TensorRef& table, const TensorRef& scales, uint64_t block, Dtype dtype) {
  const uint64_t count = element_count(codes->shape());
  const TensorRef row = ops::reshape(scales, {1, element_count(scales->shape())});
  return ops::grouped_values({ops::reshape(codes, {1, count}), table, row, nullptr, block, nullptr}, dtype);
}

TensorRef scales_of(DecodeSession& session, const std::string& weight, const State& state) {
  const TensorRef absmax = session.need(weight + ".absmax", weight);
  session.drop(weight + ".absmax");
  if (absmax->dtype() == Dtype::kF32) return absmax;
  if (absmax->dtype() != Dtype::kU8)
    throw Error(ErrorCode::kCorrupt, fmt::format("{}.absmax: {} found, F32 or U8 expected", weight, name_of(absmax->dtype())));
  const TensorRef nested = session.need(weight + ".nested_absmax", weight);
  session.drop(weight + ".nested_absmax");
  const TensorRef table = table_of(session, weight + ".nested_quant_map", 256);
  return ops::add_scalar(blocks(absmax, table, nested, state.nested_block, Dtype::kF32), state.nested_offset);
}

// What config.json states beside one of its own settings for the other width.
void check_kind(const DecodeSession& session, const std::string& tensor, const char* width, const char* other_width,
                const std::string& kind) {
  const Json& settings = session.settings();
  const Json yes(true);
  if (settings.value(other_width, Json()) == yes && settings.value(width, Json()) != yes)
    throw Error(ErrorCode::kCorrupt, fmt::format("config.json: {} stated, but the tensor {} is of {}", other_width, tensor, width));
  const std::string stated = kind.empty() ? "" : text_setting(settings, "bnb_4bit_quant_type");
  if (stated != kind && !stated.empty())
    throw Error(ErrorCode::kCorrupt,
                fmt::format("config.json: bnb_4bit_quant_type '{}' stated, but the tensor {} is {}", stated, tensor, kind));
}

void decode_four_bits(DecodeSession& session, const std::string& layer, const std::string& state_name) {
  session.refuse_ignored(layer);
  const std::string weight = layer + ".weight";
  const TensorRef packed = session.need(weight, state_name);
  const State state = parse_state(state_name, session.find(state_name));
  session.drop(state_name);
  const uint64_t count = element_count(state.shape);
  if (packed->dtype() != Dtype::kU8 || element_count(packed->shape()) * 2 != count) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: shape {} stated, but {} is {} {}", state_name, to_string(state.shape), weight,
                                                 name_of(packed->dtype()), to_string(packed->shape())));
  }
  const TensorRef scales = scales_of(session, weight, state);
  const TensorRef table = table_of(session, weight + ".quant_map", 16);
  const TensorRef codes = ops::unpack_codes(ops::reshape(packed, {1, count / 2}), 4, CodeOrder::kHighFirst);
  session.put(weight, ops::reshape(blocks(codes, table, scales, state.block, state.dtype), state.shape));
}

void decode_eight_bits(DecodeSession& session, const std::string& layer) {
  session.refuse_ignored(layer);
  const TensorRef weight = session.need(layer + ".weight", layer + ".SCB");
  const TensorRef scales = session.find(layer + ".SCB");
  if (const TensorRef format = session.find(layer + ".weight_format")) {
    const std::string bytes = read_small(layer + ".weight_format", format, sizeof(int64_t));
    if (bytes.find_first_not_of('\0') != std::string::npos) {
      throw Error(ErrorCode::kUnsupported, layer + ".weight_format: found not 0, rows expected as they are");
    }
  }
  const Shape& shape = weight->shape();
  if (weight->dtype() != Dtype::kI8 || shape.size() != 2 || shape[1] == 0 || scales->dtype() != Dtype::kF32 ||
      element_count(scales->shape()) != shape[0]) {
    throw Error(ErrorCode::kCorrupt,
                fmt::format("{}.weight: {} {} with SCB {} {} found, an I8 matrix with an F32 for each row expected", layer,
                            name_of(weight->dtype()), to_string(shape), name_of(scales->dtype()), to_string(scales->shape())));
  }
  const TensorRef codes = ops::shift_codes(ops::view(weight, Dtype::kU8), 128, 8);
  const TensorRef products =
      ops::grouped_values({codes, nullptr, ops::reshape(scales, {shape[0], 1}), nullptr, shape[1], nullptr, 128}, Dtype::kF32);
  session.put(layer + ".weight", ops::cast(ops::multiply_scalar(products, 1.0 / 127), Dtype::kF16));
  session.drop(layer + ".SCB");
  session.drop(layer + ".weight_format");
}

}  // namespace

void decode_bitsandbytes(DecodeSession& session) {
  for (const std::string kind : {"nf4", "fp4"}) {
    const std::string suffix = ".weight.quant_state.bitsandbytes__" + kind;
    for (const std::string& layer : session.layers_with(suffix)) {
      check_kind(session, layer + suffix, "load_in_4bit", "load_in_8bit", kind);
      decode_four_bits(session, layer, layer + suffix);
    }
  }
  for (const std::string& layer : session.layers_with(".SCB")) {
    check_kind(session, layer + ".SCB", "load_in_8bit", "load_in_4bit", "");
    decode_eight_bits(session, layer);
  }
}

}  // namespace hf2mlx
