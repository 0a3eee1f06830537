// config.json as its readers read it.
//
// mlx-swift-lm 1441444, Libraries/MLXLMCommon/BaseConfiguration.swift: the file is decoded as a whole, and one value of another type than
// expected refuses the model. `model_type` is a string, `eos_token_id` a whole number or a list of them, `text_config` an object. Of
// `quantization` (QuantizationContainer.init(from:)), `group_size` and `bits` must be there and whole numbers and `mode` one that MLX has;
// every other key but quant_method, linear_class and quantization_mode is a layer, whose value is a boolean or such an object again. A
// layer that is not named is decoded as the whole is, whatever its shape: Libraries/MLXLMCommon/Load.swift, loadWeights.
//
// LM Studio's engine (lmstudio-ai/mlx-engine, mlx_engine/generate.py, load_model) loads a model with a `vision_config` by its vision
// loader.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "plan/loader.h"
#include "quant/codec.h"
#include "source/incomplete.h"
#include "verify/checks.h"

namespace hf2mlx {
namespace {

constexpr const char* kConfig = "config.json";
constexpr const char* kQuantization = "config.json, quantization";
constexpr const char* kConvertAgain = "convert the model again";

bool is_setting(std::string_view key) {
  constexpr std::array<std::string_view, 6> kSettings = {"group_size", "bits", "mode", "quant_method", "linear_class", "quantization_mode"};
  return std::find(kSettings.begin(), kSettings.end(), key) != kSettings.end();
}

// What is wrong with {"group_size", "bits", "mode"}, or nothing.
std::string why_no_encoding(const Json& entry) {
  if (!entry.is_object()) return fmt::format("{} found, an object expected", entry.type_name());
  for (const char* key : {"group_size", "bits"}) {
    if (!entry.contains(key) || !entry[key].is_number_integer()) return fmt::format("no whole number \"{}\" found", key);
  }
  const Json mode = entry.value("mode", Json("affine"));
  if (!mode.is_string() || !quant_mode_from_name(mode.get<std::string>())) {
    return fmt::format("mode {} found, affine, mxfp4, mxfp8 or nvfp4 expected", mode.dump());
  }
  return why_unsupported(encoding_from_json(entry));
}

struct PackedLayer {
  const TensorEntry* weight = nullptr;
  const TensorEntry* scales = nullptr;
  const TensorEntry* biases = nullptr;
};

// Layers that have scales, by path.
std::map<std::string, PackedLayer> packed_layers(const ModelFolder& folder) {
  std::map<std::string, PackedLayer> layers;
  const auto path_of = [](const std::string& name, std::string_view ending) { return name.substr(0, name.size() - ending.size()); };
  for (const WeightFile& file : folder.weights) {
    for (const TensorEntry& tensor : file.tensors) {
      if (tensor.name.ends_with(".weight")) layers[path_of(tensor.name, ".weight")].weight = &tensor;
      if (tensor.name.ends_with(".scales")) layers[path_of(tensor.name, ".scales")].scales = &tensor;
      if (tensor.name.ends_with(".biases")) layers[path_of(tensor.name, ".biases")].biases = &tensor;
    }
  }
  std::erase_if(layers, [](const auto& layer) { return !layer.second.scales || !layer.second.weight; });
  return layers;
}

// Whether the shapes and types of a layer can be those of the encoding: both count the values of a row.
bool can_be(const PackedLayer& layer, const Encoding& e) {
  const uint64_t by_weight = cols_of(layer.weight->shape) * 32;
  return by_weight == cols_of(layer.scales->shape) * e.group_size * e.bits && has_biases(e) == (layer.biases != nullptr) &&
         has_biases(e) == (layer.scales->dtype != Dtype::kU8);
}

void check_dtypes(const std::map<std::string, PackedLayer>& layers, Findings& findings) {
  std::vector<std::string> wrong;
  for (const auto& [path, layer] : layers) {
    const bool scales_fit =
        layer.biases ? is_float(layer.scales->dtype) && is_float(layer.biases->dtype) : layer.scales->dtype == Dtype::kU8;
    if (layer.weight->dtype != Dtype::kU32 || !scales_fit) wrong.push_back(path);
  }
  if (wrong.empty()) return;
  findings.error(
      {.check = "quantization.dtype",
       .place = "model*.safetensors",
       .reason = fmt::format("{} packed layers are not of U32 with scales and biases that are floats, or with U8 scales alone: {}",
                             wrong.size(), shorten(wrong)),
       .remedy = kConvertAgain,
       .refused_by = everyone()});
}

// mlx_lm passes an entry to the layer, word for word.
std::vector<std::string> unknown_words(const Json& entry) {
  constexpr std::array<std::string_view, 4> kWords = {"group_size", "bits", "mode", "quantize_input"};
  std::vector<std::string> unknown;
  for (const auto& [key, value] : entry.items()) {
    if (std::find(kWords.begin(), kWords.end(), key) == kWords.end()) unknown.push_back(key);
  }
  return unknown;
}

void check_words(const std::string& layer, const Json& entry, Findings& findings) {
  const std::vector<std::string> unknown = unknown_words(entry);
  if (unknown.empty()) return;
  findings.error({.check = "quantization.entry",
                  .place = fmt::format("{}.{}", kQuantization, layer),
                  .reason = fmt::format("has {} beside group_size, bits and mode, which no layer takes", shorten(unknown)),
                  .remedy = "remove it",
                  .refused_by = {kMlxLm, kLmStudio}});
}

// Entries of single layers: whether Swift can decode them, and whether they name a layer.
void check_entries(const Json& quantization, const std::map<std::string, PackedLayer>& layers, const ModelFolder& folder,
                   Findings& findings) {
  std::vector<std::string> idle;
  for (const auto& [key, value] : quantization.items()) {
    if (is_setting(key)) continue;
    const std::string why = value.is_boolean() ? "" : why_no_encoding(value);
    if (!why.empty()) {
      findings.warning({.check = "quantization.entry",
                        .place = fmt::format("{}.{}", kQuantization, key),
                        .reason = why + ", or true or false: mlx-swift-lm then reads nothing of config.json",
                        .remedy = "name group_size, bits and mode of the layer, or remove the entry",
                        .refused_by = {kSwift}});
    }
    if (value.is_object() && !layers.count(key)) idle.push_back(key);
    if (value.is_object() && layers.count(key)) check_words(key, value, findings);
  }
  if (idle.empty() || folder.weights.empty()) return;
  findings.warning({.check = "quantization.idle-entry",
                    .place = kQuantization,
                    .reason = fmt::format("{} entries name no layer that is packed: {}; keys must be the paths in the weight files",
                                          idle.size(), shorten(idle)),
                    .remedy = kConvertAgain});
}

// mlx_lm finds the encoding of a layer that is not named from its shapes, mlx-swift-lm takes that of the whole model.
void check_unnamed(const Json& quantization, const std::map<std::string, PackedLayer>& layers, Findings& findings) {
  const Encoding whole = encoding_from_json(quantization);
  std::vector<std::string> other;
  for (const auto& [path, layer] : layers) {
    if (!quantization.contains(path) && !can_be(layer, whole)) other.push_back(path);
  }
  if (other.empty()) return;
  findings.warning({.check = "quantization.unnamed",
                    .place = kQuantization,
                    .reason = fmt::format("{} layers are packed otherwise than the model as a whole and have no entry: {}", other.size(),
                                          shorten(other)),
                    .remedy = "convert the model again, or add an entry with group_size, bits and mode for each",
                    .refused_by = {kSwift, kLmStudio}});
}

void check_quantization(const ModelFolder& folder, Findings& findings) {
  const std::map<std::string, PackedLayer> layers = packed_layers(folder);
  if (!folder.config.contains("quantization")) return;
  const Json& quantization = folder.config["quantization"];
  if (const std::string why = why_no_encoding(quantization); !why.empty()) {
    // mlx_lm asks for the two numbers, and finds the rest from the shapes.
    const bool has_numbers = quantization.is_object() && quantization.contains("group_size") && quantization.contains("bits");
    Finding finding{.check = "quantization.settings", .place = kQuantization, .reason = why, .remedy = kConvertAgain};
    finding.refused_by = has_numbers ? std::vector<std::string>{kSwift} : everyone();
    has_numbers ? findings.warning(finding) : findings.error(finding);
    return;
  }
  if (layers.empty() && !folder.weights.empty()) {
    findings.warning({.check = "quantization.nothing-packed",
                      .place = kQuantization,
                      .reason = "is there, but no layer is packed: the model is as large as it was",
                      .remedy = "convert the model again, or remove quantization and quantization_config"});
  }
  check_dtypes(layers, findings);
  check_entries(quantization, layers, folder, findings);
  check_unnamed(quantization, layers, findings);
  if (folder.config.value("quantization_config", Json()) == quantization) return;
  findings.note({.check = "quantization.repeated",
                 .place = "config.json, quantization_config",
                 .reason = "is not what quantization is, as mlx_lm writes it: transformers and the hub read this one",
                 .remedy = kConvertAgain});
}

bool is_id_or_ids(const Json& value) {
  const auto is_id = [](const Json& item) { return item.is_number_integer(); };
  return is_id(value) || (value.is_array() && std::all_of(value.begin(), value.end(), is_id));
}

// The types that mlx-swift-lm insists on; transformers 5, by which mlx-lm loads the tokenizer, on that of eos_token_id.
void check_types(const Json& config, Findings& findings) {
  const auto refuse = [&](const std::string& key, const Json& value, const char* expected) {
    Finding finding{.check = "config.type",
                    .place = fmt::format("{}, {}", kConfig, key),
                    .reason = fmt::format("{} found, {} expected", value.type_name(), expected),
                    .remedy = "correct the value"};
    const bool by_all = key == "eos_token_id";
    finding.refused_by = by_all ? everyone() : std::vector<std::string>{kSwift};
    by_all ? findings.error(finding) : findings.warning(finding);
  };
  const Json text = config.value("text_config", Json());
  if (!text.is_null() && !text.is_object()) refuse("text_config", text, "an object");
  const Json eos = config.value("eos_token_id", Json());
  if (!eos.is_null() && !is_id_or_ids(eos)) refuse("eos_token_id", eos, "a whole number or a list of them");
  if (!text.is_object()) return;
  const Json inner = text.value("eos_token_id", Json());
  if (!inner.is_null() && !is_id_or_ids(inner)) refuse("text_config.eos_token_id", inner, "a whole number or a list of them");
}

bool is_of_vision(const std::string& tensor) {
  constexpr std::array<std::string_view, 5> kParts = {"vision", "visual", "image", "vit.", "patch_embed"};
  return std::any_of(kParts.begin(), kParts.end(), [&](std::string_view part) { return tensor.find(part) != std::string::npos; });
}

bool has_vision_tower(const ModelFolder& folder) {
  return std::any_of(folder.weights.begin(), folder.weights.end(), [](const WeightFile& file) {
    return std::any_of(file.tensors.begin(), file.tensors.end(), [](const TensorEntry& tensor) { return is_of_vision(tensor.name); });
  });
}

void check_vision(const ModelFolder& folder, Findings& findings) {
  if (!folder.config.contains("vision_config") || folder.weights.empty()) return;
  if (!has_vision_tower(folder)) {
    findings.warning(
        {.check = "config.vision",
         .place = "config.json, vision_config",
         .reason = "is there, but no tensor of a vision tower is: LM Studio takes this for a vision model and misses its weights",
         .remedy = "remove vision_config, or convert the model again",
         .refused_by = {kLmStudio}});
  } else if (!folder.has("preprocessor_config.json") && !folder.has("processor_config.json")) {
    findings.warning({.check = "config.processor",
                      .place = "preprocessor_config.json",
                      .reason = "is not there, nor processor_config.json: programs do not know how to prepare images",
                      .remedy = "copy it from the original",
                      .refused_by = {kLmStudio}});
  }
}

void check_code(const Json& config, Findings& findings) {
  if (!config.contains("model_file") || config["model_file"].is_null()) return;
  findings.warning(
      {.check = "config.model-file",
       .place = "config.json, model_file",
       .reason = "names Python code of the model's own, which mlx-lm executes only with trust_remote_code and others do not know",
       .remedy = "remove the key where the architecture is one that mlx-lm has",
       .refused_by = {kMlxLm, kLmStudio}});
}

}  // namespace

void check_config(const ModelFolder& folder, Findings& findings) {
  if (!folder.has(kConfig)) {
    findings.error({.check = "config.missing",
                    .place = kConfig,
                    .reason = "is not there",
                    .remedy = "convert or download the model again",
                    .refused_by = everyone()});
  }
  if (!folder.config.is_object()) return;
  check_types(folder.config, findings);
  check_code(folder.config, findings);
  check_quantization(folder, findings);
  check_vision(folder, findings);
}

}  // namespace hf2mlx
