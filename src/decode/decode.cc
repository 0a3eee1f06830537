// Finds the scheme of a quantized source, holds config.json against the tensors, and runs the decoders.
#include "decode/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "decode/session.h"

namespace hf2mlx {
namespace {

// What tensors show of the tool that packed them.
enum class Mark : uint8_t { kQweight, kPackedWords, kPackedFloats, kFp8, kInt8, kNvfp4, kBitsandbytes };

bool is_mark(Mark mark, const TensorMap& tensors, const std::string& name, const LazyTensor& tensor) {
  switch (mark) {
    case Mark::kQweight:
      return name.ends_with(".qweight");
    case Mark::kPackedWords:
      return name.ends_with(".weight_packed") && tensor.dtype() == Dtype::kI32;
    case Mark::kPackedFloats:
      return name.ends_with(".weight_packed") && tensor.dtype() == Dtype::kU8;
    case Mark::kFp8:
      return !fp8_scale_name(tensors, name, tensor).empty();
    case Mark::kInt8:
      return name.ends_with(".weight") && tensor.dtype() == Dtype::kI8 && tensors.count(name + "_scale");
    case Mark::kNvfp4:
      return name.ends_with(".weight_scale_2");
    case Mark::kBitsandbytes:
      return name.ends_with(".SCB") || name.find(".weight.quant_state.bitsandbytes__") != std::string::npos;
  }
  return false;
}

constexpr std::array kMarks = {Mark::kQweight, Mark::kPackedWords, Mark::kPackedFloats, Mark::kFp8,
                               Mark::kInt8,    Mark::kNvfp4,       Mark::kBitsandbytes};

std::string first_with(Mark mark, const TensorMap& tensors) {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const auto& entry) { return is_mark(mark, tensors, entry.first, *entry.second); });
  return found == tensors.end() ? "" : found->first;
}

// A way to store a quantized model, as config.json names it.
struct Scheme {
  std::string name;         // as config.json has it
  std::vector<Mark> marks;  // what its tensors show, one of them at least; empty: nothing that names tell
  std::vector<void (*)(DecodeSession&)> decoders;
};

struct Format {
  std::string_view name;
  std::vector<Mark> marks;
};

std::vector<Mark> marks_of_format(const std::string& format) {
  static const std::vector<Format> formats = {
      {"pack-quantized", {Mark::kPackedWords}},
      {"nvfp4-pack-quantized", {Mark::kPackedFloats}},
      {"mxfp4-pack-quantized", {Mark::kPackedFloats}},
      {"mxfp6-pack-quantized", {Mark::kPackedFloats}},
      {"float-quantized", {Mark::kFp8}},
      {"mxfp8-quantized", {Mark::kFp8}},
      {"naive-quantized", {Mark::kFp8, Mark::kInt8}},
      {"int-quantized", {Mark::kInt8}},
      {"mixed-precision", {Mark::kPackedWords, Mark::kPackedFloats, Mark::kFp8, Mark::kInt8}},
  };
  const auto found = std::find_if(formats.begin(), formats.end(), [&](const Format& f) { return f.name == format; });
  if (found != formats.end()) return found->marks;
  throw Error(ErrorCode::kUnsupported, "config.json: compressed-tensors format '" + format + "' found, which cannot be read");
}

Scheme compressed_tensors(const Json& settings) {
  const std::string format = text_setting(settings, "format");
  return {"compressed-tensors, " + format,
          marks_of_format(format),
          {decode_compressed_integers, decode_compressed_fp4, decode_int8_weights, decode_fp8}};
}

bool is_fp8_algorithm(const std::string& algorithm) { return algorithm.starts_with("FP8") || algorithm == "MXFP8"; }

// What MIXED_PRECISION says of single layers.
void check_each_algorithm(const Json& settings) {
  const Json layers = settings.value("quantized_layers", Json::object());
  for (const auto& [layer, how] : layers.items()) {
    const std::string algorithm = how.is_object() ? text_setting(how, "quant_algo") : "";
    if (algorithm.empty() || algorithm == "NVFP4" || is_fp8_algorithm(algorithm)) continue;
    throw Error(ErrorCode::kUnsupported,
                fmt::format("config.json: modelopt quant_algo '{}' found for {}, NVFP4 or FP8 expected", algorithm, layer));
  }
}

Scheme modelopt(const Json& settings) {
  const std::string algorithm = text_setting(settings, "quant_algo");
  const std::string name = "modelopt, " + algorithm;
  if (algorithm == "NVFP4") return {name, {Mark::kNvfp4}, {decode_modelopt_nvfp4}};
  if (algorithm == "MIXED_PRECISION") check_each_algorithm(settings);
  if (algorithm == "MIXED_PRECISION") return {name, {Mark::kNvfp4, Mark::kFp8}, {decode_modelopt_nvfp4, decode_fp8}};
  if (is_fp8_algorithm(algorithm)) return {name, {Mark::kFp8}, {decode_fp8}};
  throw Error(ErrorCode::kUnsupported,
              "config.json: modelopt quant_algo '" + algorithm + "' found, NVFP4, FP8 or MIXED_PRECISION expected");
}

// AutoRound stores layers as GPTQ or AWQ do, and says which in a name of its own.
Json as_gptq_or_awq(Json settings) {
  const std::string packing = text_setting(settings, "packing_format");
  if (packing == "auto_round:auto_awq") {
    settings["quant_method"] = "awq";
    return settings;
  }
  settings["quant_method"] = "gptq";
  settings["checkpoint_format"] = packing == "auto_round:auto_gptq" ? "gptq" : "gptq_v2";
  if (packing == "auto_round:auto_gptq" || packing == "auto_round:gptqmodel" || packing == "auto_round") return settings;
  throw Error(ErrorCode::kUnsupported, "config.json: packing_format '" + packing +
                                           "' of AutoRound found; auto_round, auto_round:auto_gptq, auto_round:gptqmodel or "
                                           "auto_round:auto_awq expected");
}

// Nullopt: not one of ours.
std::optional<Scheme> scheme_of(const std::string& method, const Json& settings) {
  if (method == "gptq") return Scheme{"gptq", {Mark::kQweight}, {decode_gptq}};
  if (method == "awq") return Scheme{"awq", {Mark::kQweight}, {decode_awq}};
  if (method == "fp8" || method == "fbgemm_fp8") return Scheme{method, {Mark::kFp8}, {decode_fp8}};
  if (method == "compressed-tensors") return compressed_tensors(settings);
  if (method == "modelopt") return modelopt(settings);
  if (method == "bitnet") return Scheme{method, {}, {decode_bitnet}};
  if (method == "bitsandbytes") return Scheme{"bitsandbytes", {Mark::kBitsandbytes}, {decode_bitsandbytes}};
  return std::nullopt;
}

void check_agreement(const Scheme& scheme, const TensorMap& tensors) {
  bool any = false;
  for (const Mark mark : kMarks) {
    const std::string name = first_with(mark, tensors);
    if (name.empty()) continue;
    if (std::find(scheme.marks.begin(), scheme.marks.end(), mark) == scheme.marks.end()) {
      throw Error(ErrorCode::kCorrupt,
                  fmt::format("config.json: quantization '{}' stated, but the tensor {} is of another", scheme.name, name));
    }
    any = true;
  }
  if (any || scheme.marks.empty()) return;
  refuse_unfounded(scheme.name);
}

// Quantized tensors that config.json says nothing of are not guessed at. MLX would take 8-bit floats for whole numbers.
void check_plain(const Description& family, const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) {
    if (!is_fp8(tensor->dtype()) || family.has_flag("decodes_fp8") || !fp8_scale_name(tensors, name, *tensor).empty()) continue;
    throw Error(ErrorCode::kCorrupt, fmt::format("config.json: no quantization_config found, but the tensor {} is {} without a scale", name,
                                                 name_of(tensor->dtype())));
  }
  for (const Mark mark : kMarks) {
    if (mark == Mark::kFp8 && family.has_flag("decodes_fp8")) continue;
    const std::string name = first_with(mark, tensors);
    if (name.empty()) continue;
    throw Error(ErrorCode::kCorrupt,
                fmt::format("config.json: no quantization_config found, but the tensor {} is of a quantized model", name));
  }
}

// Four bits around 8 in groups that MLX has, which mlx_lm takes the shapes' word for.
bool is_plain_int4(const Json& settings) {
  const Json groups = settings.value("config_groups", Json::object());
  return std::all_of(groups.begin(), groups.end(), [](const Json& group) {
    const Json weights = group.is_object() ? group.value("weights", Json()) : Json();
    if (!weights.is_object() || weights.value("symmetric", Json(true)) != true || text_setting(weights, "actorder") == "group")
      return false;
    const int64_t size = integer_setting(weights, "group_size", 0);
    return integer_setting(weights, "num_bits", 4) == 4 && (size == 32 || size == 64 || size == 128);
  });
}

// The forms that mlx_lm reads itself, with the same result.
bool family_decodes(const Description& family, const std::string& method, const Json& settings, const TensorMap& tensors) {
  if (method == "fp8") {
    const bool is_mxfp8 =
        text_setting(settings, "scale_fmt") == "ue8m0" && settings.value("weight_block_size", Json()) == Json::array({32, 32});
    return is_mxfp8 || family.has_flag("decodes_fp8");
  }
  const std::string format = text_setting(settings, "format");
  if (method == "compressed-tensors" && format == "pack-quantized") return family.has_flag("decodes_int4") && is_plain_int4(settings);
  if (method == "compressed-tensors" && format == "mxfp4-pack-quantized") return family.has_flag("decodes_mxfp4");
  return method == "modelopt" && family.has_flag("decodes_nvfp4") && first_with(Mark::kNvfp4, tensors).empty();
}

// Scales of activations and of caches, which MLX does not quantize.
bool is_activation_scale(const std::string& name) {
  constexpr std::string_view kEndings[] = {
      ".input_scale", "_input_scale", ".activation_scale", "_activation_scale",   ".k_scale",        ".v_scale",         ".q_scale",
      ".kv_scale",    ".prob_scale",  ".output_scale",     ".input_global_scale", ".input_scale_ub", ".input_zero_point"};
  return std::any_of(std::begin(kEndings), std::end(kEndings), [&](std::string_view ending) { return name.ends_with(ending); });
}

Json quantization_json(const Encoding& e) { return {{"group_size", e.group_size}, {"bits", e.bits}, {"mode", name_of(e.mode)}}; }

// Whose reading of a scheme counts: AWQ with 4 bits is written, and decoded, as mlx_lm does it.
enum class Reference : uint8_t { kScheme, kMlxLm };

// What is left of the source's own quantization in the config that is written.
void rewrite_config(Json& config, const DecodedSource& result, Reference reference) {
  config.erase("quantization_config");
  if (config.contains("text_config") && config["text_config"].is_object()) config["text_config"].erase("quantization_config");
  if (result.packed.empty()) return;
  Json quantization = quantization_json(result.packed[0].encoding);
  if (reference == Reference::kMlxLm) quantization.erase("mode");
  config["quantization"] = quantization;
  config["quantization_config"] = quantization;
}

}  // namespace

DecodedSource decode_source(const Description& family, Json& config, TensorMap& tensors, const PackingOf& packing, const Readers& readers) {
  if (config.contains("quantization")) return {};
  const Json stated = config.value("quantization_config", Json());
  if (!stated.is_object()) {
    check_plain(family, tensors);
    return {};
  }
  const std::string method = quant_method(stated);
  if (method.empty()) check_plain(family, tensors);
  const bool auto_round = method == "auto-round" || method == "intel/auto-round";
  const Json settings = auto_round                                                ? as_gptq_or_awq(stated)
                        : method == "modelopt" && stated.contains("quantization") ? stated["quantization"]
                                                                                  : stated;
  DecodedSource untouched;
  if (readers.rules == OwnRules::kRead && family_decodes(family, method, settings, tensors)) {
    untouched.left_to_rules = true;
    if (method == "fp8" && family.has_flag("decodes_fp8")) untouched.decoded_from = method;
    return untouched;
  }
  const bool keeps_ternary = readers.ternary == Ternary::kStays || family.has_flag("keeps_ternary");
  const auto scheme =
      method == "bitnet" && keeps_ternary ? std::nullopt : scheme_of(auto_round ? quant_method(settings) : method, settings);
  if (!scheme) {
    untouched.unknown_method = method;
    return untouched;
  }
  std::erase_if(tensors, [](const auto& entry) { return is_activation_scale(entry.first); });
  check_agreement(*scheme, tensors);
  DecodeSession session(settings, tensors, packing);
  for (const auto decode : scheme->decoders) decode(session);
  DecodedSource result = std::move(session.result());
  const Reference reference = method == "awq" && stated_bits(settings) == 4 ? Reference::kMlxLm : Reference::kScheme;
  rewrite_config(config, result, reference);
  if (reference == Reference::kMlxLm) {
    for (PackedLayer& layer : result.packed) layer.values = nullptr;
  }
  if (result.packed.empty()) {
    result.decoded_from = scheme->name;
    result.notes.push_back(fmt::format("weights are decoded to floats from {}", scheme->name));
  }
  return result;
}

}  // namespace hf2mlx
