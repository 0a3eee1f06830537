// GPTQ and AWQ: LAYER.qweight, qzeros and scales, groups before outputs, and for GPTQ the group of each input.
#include <fmt/format.h>

#include "decode/session.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

struct Parts {
  std::string layer;
  TensorRef qweight;
  TensorRef qzeros;  // null: none
  TensorRef scales;  // [groups, out]
  uint64_t groups() const { return scales->shape()[0]; }
  uint64_t outputs() const { return scales->shape()[1]; }
};

void require_matrix(const std::string& name, const TensorRef& tensor, bool dtype_fits) {
  if (dtype_fits && tensor->shape().size() == 2 && element_count(tensor->shape()) > 0) return;
  throw Error(ErrorCode::kCorrupt, fmt::format("{}: {} {} found, a matrix of {} expected", name, name_of(tensor->dtype()),
                                               to_string(tensor->shape()), name.ends_with("scales") ? "floats" : "I32"));
}

// Settings for single layers, by names or regular expressions: there the tensors tell.
bool varies(const Json& settings) {
  const auto has = [&](const char* key) { return settings.contains(key) && settings[key].is_object() && !settings[key].empty(); };
  return has("dynamic") || has("extra_config");
}

// Without zero points half of the range is taken off, which only settings that say so, or nothing, agree with.
void check_zeros(const DecodeSession& session, const Parts& parts) {
  const Json& settings = session.settings();
  const char* contrary = settings.value("sym", Json()) == false         ? "\"sym\": false"
                         : settings.value("zero_point", Json()) == true ? "\"zero_point\": true"
                                                                        : nullptr;
  if (parts.qzeros || !contrary) return;
  throw Error(ErrorCode::kCorrupt, fmt::format("config.json: {} stated, but {}.qzeros is missing", contrary, parts.layer));
}

Parts take_parts(DecodeSession& session, const std::string& layer) {
  session.refuse_ignored(layer);
  Parts parts{layer, session.find(layer + ".qweight"), session.find(layer + ".qzeros"),
              session.need(layer + ".scales", layer + ".qweight")};
  require_matrix(layer + ".qweight", parts.qweight, parts.qweight->dtype() == Dtype::kI32);
  require_matrix(layer + ".scales", parts.scales, is_float(parts.scales->dtype()));
  if (parts.qzeros) require_matrix(layer + ".qzeros", parts.qzeros, parts.qzeros->dtype() == Dtype::kI32);
  for (const char* part : {".qweight", ".qzeros", ".scales"}) session.drop(layer + part);
  check_zeros(session, parts);
  if (!session.result().float_dtype) session.result().float_dtype = parts.scales->dtype();
  return parts;
}

// The width of the codes is what config.json says, and the zero points have as many words as that takes.
uint32_t checked_bits(const DecodeSession& session, const Parts& parts) {
  const uint64_t stated = static_cast<uint64_t>(stated_bits(session.settings()));
  if (!parts.qzeros) return static_cast<uint32_t>(stated);
  const uint64_t found = parts.qzeros->shape()[1] * 32 / parts.outputs();
  if (parts.qzeros->shape()[0] != parts.groups() || parts.qzeros->shape()[1] * 32 != found * parts.outputs() ||
      (found != stated && !varies(session.settings()))) {
    throw Error(ErrorCode::kCorrupt, fmt::format("config.json: {} bits stated, but {}.qzeros is {} beside scales {}", stated, parts.layer,
                                                 to_string(parts.qzeros->shape()), to_string(parts.scales->shape())));
  }
  return static_cast<uint32_t>(found);
}

uint64_t checked_group_size(const DecodeSession& session, const Parts& parts, uint64_t inputs) {
  if (varies(session.settings()) && inputs % parts.groups() == 0) return inputs / parts.groups();
  const int64_t stated = stated_group_size(session.settings());
  const uint64_t size = stated > 0 ? static_cast<uint64_t>(stated) : inputs;
  if (size > 0 && (inputs + size - 1) / size == parts.groups()) return size;
  throw Error(ErrorCode::kCorrupt, fmt::format("config.json: group_size {} stated, but {}.scales is {} for {} inputs", stated, parts.layer,
                                               to_string(parts.scales->shape()), inputs));
}

[[noreturn]] void fail_layout(const DecodeSession& session, const Parts& parts, uint32_t bits) {
  throw Error(ErrorCode::kCorrupt,
              fmt::format("config.json: quant_method '{}' with {} bits stated, but {}.qweight is {} beside scales {}",
                          text_setting(session.settings(), "quant_method"), bits, parts.layer, to_string(parts.qweight->shape()),
                          to_string(parts.scales->shape())),
              "AWQ packs outputs into words, GPTQ inputs");
}

// Whether zero points are stored one too low.
bool has_shifted_zeros(const Json& settings) {
  const std::string format = text_setting(settings, "checkpoint_format");
  if (format.empty() || format == "gptq") return true;
  if (format == "gptq_v2") return false;
  throw Error(ErrorCode::kUnsupported, "config.json: GPTQ checkpoint_format '" + format + "' found, gptq or gptq_v2 expected");
}

void decode_gptq_layer(DecodeSession& session, const std::string& layer) {
  const Parts parts = take_parts(session, layer);
  const uint32_t bits = checked_bits(session, parts);
  if (bits != 2 && bits != 3 && bits != 4 && bits != 8) {
    throw Error(ErrorCode::kUnsupported, fmt::format("config.json: GPTQ with {} bits found, 2, 3, 4 or 8 expected", bits));
  }
  const uint64_t inputs = parts.qweight->shape()[0] * 32 / bits;
  if (parts.qweight->shape()[1] != parts.outputs()) fail_layout(session, parts, bits);
  const uint64_t group_size = checked_group_size(session, parts, inputs);
  IntegerLayer integers{
      bits, ops::view(ops::swapaxes(parts.qweight, 0, 1), Dtype::kU32), ops::swapaxes(parts.scales, 0, 1), nullptr, group_size, nullptr};
  if (parts.qzeros) {
    const TensorRef stored = ops::unpack_codes(parts.qzeros, bits, CodeOrder::kInOrder);
    integers.zeros = ops::swapaxes(has_shifted_zeros(session.settings()) ? ops::shift_codes(stored, 1, bits) : stored, 0, 1);
  }
  if (const TensorRef indices = session.find(layer + ".g_idx")) {
    integers.group_of = checked_groups(layer + ".g_idx", indices, inputs, group_size);
    session.drop(layer + ".g_idx");
  }
  session.put_integers(layer, integers);
}

void decode_awq_layer(DecodeSession& session, const std::string& layer) {
  const Parts parts = take_parts(session, layer);
  const uint32_t bits = checked_bits(session, parts);
  if (bits != 4 && bits != 8)
    throw Error(ErrorCode::kUnsupported, fmt::format("config.json: AWQ with {} bits found, 4 or 8 expected", bits));
  if (parts.qweight->shape()[1] * 32 != parts.outputs() * bits) fail_layout(session, parts, bits);
  const uint64_t group_size = checked_group_size(session, parts, parts.qweight->shape()[0]);
  TensorRef zeros;
  if (parts.qzeros) zeros = ops::swapaxes(ops::unpack_codes(parts.qzeros, bits, CodeOrder::kAwq), 0, 1);
  session.put_integers(layer, {bits, ops::awq_repack(parts.qweight, bits), ops::swapaxes(parts.scales, 0, 1), zeros, group_size, nullptr});
}

}  // namespace

void decode_gptq(DecodeSession& session) {
  session.result().has_idle_biases = true;  // AutoGPTQ saves one for every layer
  for (const std::string& layer : session.layers_with(".qweight")) decode_gptq_layer(session, layer);
}

void decode_awq(DecodeSession& session) {
  // AutoAWQ's name for it, and those of GPTQModel.
  for (const char* key : {"version", "checkpoint_format", "format"}) {
    const std::string kernel = text_setting(session.settings(), key);
    if (kernel.empty() || kernel == "gemm" || kernel == "GEMM") continue;
    throw Error(ErrorCode::kUnsupported, fmt::format("config.json: AWQ {} '{}' found, gemm expected", key, kernel));
  }
  for (const std::string& layer : session.layers_with(".qweight")) decode_awq_layer(session, layer);
}

}  // namespace hf2mlx
