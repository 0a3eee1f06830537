#include "plan/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "decode/session.h"
#include "hf2mlx/error.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

Json quantization_json(uint32_t group_size, uint32_t bits, const char* mode) {
  return {{"group_size", group_size}, {"bits", bits}, {"mode", mode}};
}

void set_quantization(Json& config, const Json& quantization) {
  config["quantization"] = quantization;
  config["quantization_config"] = quantization;
}

Json compressed_tensors(const Json& settings) {
  const std::string format = text_setting(settings, "format");
  if (format == "nvfp4-pack-quantized") return quantization_json(16, 4, "nvfp4");
  if (format == "mxfp4-pack-quantized") return quantization_json(32, 4, "mxfp4");
  if (format == "pack-quantized") return quantization_json(32, 4, "affine");
  throw Error(ErrorCode::kUnsupported, "config.json: compressed-tensors format '" + format + "' found, which cannot be read yet");
}

Json modelopt(const Json& stated) {
  const Json settings = stated.value("quantization", stated);
  if (!settings.is_object())
    throw Error(ErrorCode::kCorrupt, "config.json: quantization of modelopt: an object expected, found " + settings.dump());
  const std::string algorithm = text_setting(settings, "quant_algo");
  if (algorithm != "NVFP4")
    throw Error(ErrorCode::kUnsupported, "config.json: modelopt quant_algo '" + algorithm + "' found, NVFP4 expected");
  return quantization_json(static_cast<uint32_t>(to_int(settings.value("group_size", Json(16)))), 4, "nvfp4");
}

bool is_mxfp8(const Json& settings) {
  return settings.value("scale_fmt", Json()) == "ue8m0" && settings.value("weight_block_size", Json()) == Json::array({32, 32});
}

// The settings of a model with ternary layers that stay so; null for any other.
template <class AnyJson>
AnyJson* bitnet_settings(AnyJson& config) {
  if (config.contains("quantization") || !config.contains("quantization_config")) return nullptr;
  AnyJson& settings = config["quantization_config"];
  return settings.is_object() && settings.value("quant_method", Json()) == "bitnet" ? &settings : nullptr;
}

bool names_layer(const Json& list, const std::string& path) {
  return list.is_array() && std::find(list.begin(), list.end(), path) != list.end();
}

// BitNet: every linear layer but the excluded ones is ternary, four weights of rows a quarter apart in a byte beside one scale, and stays
// so.
void expect_ternary_layers(const Json& config, std::vector<Module>& modules) {
  const Json* settings = bitnet_settings(config);
  if (!settings) return;
  const Json excluded = settings->value("modules_to_not_convert", Json::array());
  for (Module& m : modules) {
    if (m.role != Role::kLinear || names_layer(excluded, m.path)) continue;
    m.role = Role::kParam;
    m.params[0].shape[0] = (m.params[0].shape[0] + 3) / 4;
    m.params.push_back({m.path + ".weight_scale", {1}});
  }
}

// Shapes or config.json may state what MLX has not, and no size follows from such a statement.
void require_encoding_of_mlx(const Encoding& e, const std::string& path) {
  if (why_unsupported(e).empty()) return;
  throw Error(ErrorCode::kCorrupt, fmt::format("{}: packed as {} with {} bits in groups of {}, which is no encoding of MLX", path,
                                               name_of(e.mode), e.bits, e.group_size));
}

// The encoding that packed shapes tell, for modules that config.json does not name.
std::optional<Encoding> inferred_encoding(const Module& m, const TensorMap& tensors) {
  const auto scales = tensors.find(m.path + ".scales");
  const auto weight = tensors.find(m.path + ".weight");
  if (scales == tensors.end() || weight == tensors.end() || m.params.empty()) return std::nullopt;
  const uint64_t cols = cols_of(m.params[0].shape);
  const uint64_t group_count = cols_of(scales->second->shape());
  Encoding e;
  e.group_size = group_count ? static_cast<uint32_t>(cols / group_count) : 0;
  e.bits = cols ? static_cast<uint32_t>(cols_of(weight->second->shape()) * 32 / cols) : 0;
  if (scales->second->dtype() != Dtype::kU8) return e;
  e.mode = QuantMode::kMxfp8;  // whatever it is, not affine
  for (QuantMode mode : {QuantMode::kNvfp4, QuantMode::kMxfp4, QuantMode::kMxfp8}) {
    const Encoding known = default_encoding(mode);
    if (known.bits == e.bits && known.group_size == e.group_size) return known;
  }
  return e;
}

struct Differences {
  std::vector<std::string> missing, unexpected, shapes;

  bool any() const { return !missing.empty() || !unexpected.empty() || !shapes.empty(); }
};

void append(std::string& text, const char* what, const std::vector<std::string>& items) {
  constexpr size_t kShown = 100;
  if (items.empty()) return;
  text += fmt::format("\n  {} ({}):", what, items.size());
  for (size_t i = 0; i < std::min(items.size(), kShown); ++i) text += "\n    " + items[i];
  if (items.size() > kShown) text += fmt::format("\n    and {} more", items.size() - kShown);
}

// The parameters that a module is loaded from, packed or not.
std::vector<Param> stored_params(const LoadedModule& loaded, const TensorMap& tensors) {
  std::vector<Param> params = loaded.module.params;
  if (!loaded.encoding) return params;
  const Encoding& e = *loaded.encoding;
  Shape packed = params[0].shape;
  const uint64_t cols = packed.back();
  Shape groups_shape = packed;
  packed.back() = packed_words(e, cols);
  groups_shape.back() = groups(e, cols);
  params[0].shape = packed;
  params.push_back({loaded.module.path + ".scales", groups_shape});
  if (has_biases(e)) params.push_back({loaded.module.path + ".biases", groups_shape});
  const std::string global_scale = loaded.module.path + ".global_scale";
  if (e.mode == QuantMode::kNvfp4 && tensors.count(global_scale)) params.push_back({global_scale, {groups_shape[0]}});
  return params;
}

Differences compare(const std::vector<LoadedModule>& modules, const TensorMap& tensors) {
  Differences d;
  std::set<std::string_view> expected;
  for (const LoadedModule& loaded : modules) {
    for (const Param& p : stored_params(loaded, tensors)) {
      const auto it = tensors.find(p.name);
      if (it == tensors.end()) {
        d.missing.push_back(p.name + " " + to_string(p.shape));
        continue;
      }
      expected.insert(it->first);
      if (it->second->shape() != p.shape)
        d.shapes.push_back(p.name + " is " + to_string(it->second->shape()) + ", expected " + to_string(p.shape));
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (!expected.count(name)) d.unexpected.push_back(name + " " + to_string(tensor->shape()));
  }
  return d;
}

}  // namespace

Encoding encoding_from_json(const Json& entry) {
  const Json name = entry.value("mode", Json("affine"));
  const auto mode = name.is_string() ? quant_mode_from_name(name.get_ref<const std::string&>()) : std::nullopt;
  if (!mode)
    throw Error(ErrorCode::kCorrupt, "config.json: quantization mode " + name.dump() + " found, affine, mxfp4, mxfp8 or nvfp4 expected");
  Encoding e = default_encoding(*mode);
  auto number = [&](const char* key, uint32_t& value) {
    if (entry.contains(key) && entry[key].is_number()) value = static_cast<uint32_t>(to_int(entry[key]));
  };
  number("bits", e.bits);
  number("group_size", e.group_size);
  return e;
}

Json json_of(const Encoding& e) { return {{"group_size", e.group_size}, {"bits", e.bits}, {"mode", name_of(e.mode)}}; }

void adopt_source_quantization(Json& config) {
  if (config.contains("quantization") || !config.contains("quantization_config")) return;
  const Json settings = config["quantization_config"];
  if (!settings.is_object()) return;
  const std::string method = quant_method(settings);
  if (method == "mxfp4")
    set_quantization(config, quantization_json(32, 4, "mxfp4"));
  else if (method == "mxfp8" || (method == "fp8" && is_mxfp8(settings)))
    set_quantization(config, quantization_json(32, 8, "mxfp8"));
  else if (method == "compressed-tensors")
    set_quantization(config, compressed_tensors(settings));
  else if (method == "modelopt")
    set_quantization(config, modelopt(settings));
}

void exclude_plain_layers(Json& config, const std::vector<Module>& modules, const TensorMap& tensors) {
  Json* settings = bitnet_settings(config);
  if (!settings) return;
  for (const Module& m : modules) {
    const auto weight = tensors.find(m.path + ".weight");
    if (m.role != Role::kLinear || weight == tensors.end() || !is_float(weight->second->dtype())) continue;
    Json& excluded = (*settings)["modules_to_not_convert"];
    if (!names_layer(excluded, m.path)) excluded.push_back(m.path);
  }
}

std::vector<LoadedModule> match_modules(std::vector<Module> modules, const Json& config, const TensorMap& tensors) {
  const Json none = Json::object();
  const Json& quantization = config.contains("quantization") ? config["quantization"] : none;
  expect_ternary_layers(config, modules);
  std::vector<LoadedModule> out;
  out.reserve(modules.size());
  for (Module& m : modules) {
    LoadedModule loaded{std::move(m), std::nullopt, Json()};
    if (is_quantizable(loaded.module.role) && config.contains("quantization")) {
      const auto entry = quantization.find(loaded.module.path);
      if (entry == quantization.end())
        loaded.encoding = inferred_encoding(loaded.module, tensors);
      else if (truthy(*entry))
        loaded.encoding = entry->is_object() ? encoding_from_json(*entry) : encoding_from_json(quantization);
      if (entry != quantization.end()) loaded.entry = *entry;
      if (loaded.encoding) require_encoding_of_mlx(*loaded.encoding, loaded.module.path);
    }
    out.push_back(std::move(loaded));
  }
  const Differences d = compare(out, tensors);
  if (!d.any()) return out;
  std::string text = "checkpoint: its tensors are not those that the architecture has";
  append(text, "missing", d.missing);
  append(text, "unexpected", d.unexpected);
  append(text, "of another shape", d.shapes);
  throw Error(ErrorCode::kCorrupt, text, "the download may be incomplete, or config.json may belong to another model");
}

}  // namespace hf2mlx
