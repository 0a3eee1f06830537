#include "plan/planner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "hf2mlx/error.h"
#include "plan/build.h"
#include "plan/layout.h"
#include "plan/model.h"
#include "plan/policy.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

std::vector<std::string> architectures_of(const Json& config) {
  std::vector<std::string> names;
  const Json stated = config.value("architectures", Json());
  if (stated.is_string()) return {stated.get<std::string>()};
  for (const Json& name : stated) {
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  return names;
}

TensorMap source_tensors(const Checkpoint& checkpoint) {
  TensorMap tensors;
  for (const StoredTensor& t : checkpoint.tensors)
    tensors.emplace_hint(tensors.end(), t.name, ops::source(t.file, t.dtype, t.shape, t.offset_bytes));
  return tensors;
}

bool has_vision_tower(const TensorMap& tensors) {
  return std::any_of(tensors.begin(), tensors.end(),
                     [](const auto& entry) { return entry.first.find("vision_tower") != std::string::npos; });
}

// Where tools and wrappers keep what belongs at the root.
void lift_quantization_config(Json& config, const Checkpoint& checkpoint) {
  if (config.contains("quantization_config")) return;
  if (config.contains("text_config") && config["text_config"].is_object() && config["text_config"].contains("quantization_config")) {
    config["quantization_config"] = config["text_config"]["quantization_config"];
  } else if (config.contains("compression_config")) {  // as compressed-tensors called it at first
    config["quantization_config"] = config["compression_config"];
    config.erase("compression_config");
  } else if (checkpoint.quantizer_config.is_object()) {
    config["quantization_config"] = checkpoint.quantizer_config;
  }
}

void note_dtype(const Json& config, const QuantOptions& options, std::vector<std::string>& notes) {
  if (options.dtype.empty() && config.contains("dtype") && config["dtype"].is_string() && !config.contains("torch_dtype")) {
    notes.push_back(
        fmt::format("config.json states \"dtype\": {}, which mlx_lm does not read: tensors keep their stored dtype (--dtype {} casts them)",
                    config["dtype"].dump(), config["dtype"].get<std::string>()));
  }
}

}  // namespace

const Description& find_architecture(const Json& config, const Registry& registry, const std::string& arch) {
  const Json stated = config.value("model_type", Json());
  if (arch.empty() && !stated.is_string())
    throw Error(ErrorCode::kCorrupt, "config.json: no \"model_type\" found, by which the architecture is known", "--arch NAME names it");
  const std::string type = arch.empty() ? stated.get<std::string>() : arch;
  if (const Description* found = registry.find(type, architectures_of(config))) return *found;
  throw Error(ErrorCode::kUnsupported, (arch.empty() ? "config.json: model type '" : "--arch: '") + type + "' is not supported",
              fmt::format("nearest names: {}; `hf2mlx archs` lists all, --arch NAME reads the model as one of them",
                          fmt::join(registry.nearest(type, 3), ", ")));
}

namespace {

bool has_head(const Checkpoint& checkpoint) {
  return std::any_of(checkpoint.tensors.begin(), checkpoint.tensors.end(),
                     [](const StoredTensor& t) { return t.name.find("lm_head") != std::string::npos || t.name == "output.weight"; });
}

// Of a checkpoint without a head: true where config.json has said otherwise, and does so no more.
bool tie_embeddings(Json& config) {
  bool changed = false;
  const auto tie = [&](Json& object) {
    const Json stated = object.value("tie_word_embeddings", Json(false));
    changed = changed || stated == Json(false);
    object["tie_word_embeddings"] = true;
  };
  tie(config);
  if (config.contains("text_config") && config["text_config"].is_object()) tie(config["text_config"]);
  return changed;
}

// Nothing where something else is wrong with the checkpoint.
std::optional<LoadedModel> load_tied(const Description& description, const Registry& registry, const Json& config, const TensorMap& tensors,
                                     Ternary ternary) {
  try {
    LoadedModel model = load_model(description, registry, config, tensors, ternary);
    model.notes.push_back(
        "config.json says that the embeddings are not tied, but there is no lm_head: they are tied, and the new one says so");
    return model;
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool says_tied(const Json& config) {
  const Json text = config.value("text_config", Json());
  const Json tied(true);
  return config.value("tie_word_embeddings", Json()) == tied || (text.is_object() && text.value("tie_word_embeddings", Json()) == tied);
}

// Of an MLX model whose config.json says that its head is the embedding: the scales and biases of a head that is there all the same.
// Rules drop its weight alone, as mlx_lm's do, which then does not load the model.
bool drop_rest_of_head(const Json& config, TensorMap& tensors) {
  if (!says_tied(config)) return false;
  return std::erase_if(tensors, [](const auto& tensor) {
           return tensor.first.ends_with("lm_head.scales") || tensor.first.ends_with("lm_head.biases");
         }) > 0;
}

LoadedModel load_model(const Checkpoint& checkpoint, const Registry& registry, const SourceOptions& options, Ternary ternary) {
  const Description& description = find_architecture(checkpoint.config, registry, options.arch);
  Json config = checkpoint.config;
  lift_quantization_config(config, checkpoint);
  if (const Json stated = config.value("quantization", Json()); !stated.is_null() && !stated.is_object())
    throw Error(ErrorCode::kCorrupt, "config.json: quantization: " + stated.dump() + " found, an object expected");
  TensorMap tensors = source_tensors(checkpoint);
  try {
    return load_model(description, registry, config, tensors, ternary);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorrupt) throw;
    if (drop_rest_of_head(config, tensors)) return load_model(description, registry, config, tensors, ternary);
    if (has_head(checkpoint) || !tie_embeddings(config)) throw;
    std::optional<LoadedModel> model = load_tied(description, registry, config, tensors, ternary);
    if (!model) throw;
    return std::move(*model);
  }
}

// Models as the variants need them: where BitNet's layers are to be quantized with others, or decoded, config.json can no longer tell the
// loader that they are ternary.
class Models {
 public:
  Models(const Checkpoint& checkpoint, const Registry& registry, const SourceOptions& options)
      : checkpoint_(checkpoint), registry_(registry), options_(options) {}

  const LoadedModel& model_for(const QuantOptions& variant) {
    const Ternary ternary = variant.quantize || variant.dequantize ? Ternary::kDecoded : Ternary::kStays;
    std::optional<LoadedModel>& model = is_bitnet() && ternary == Ternary::kDecoded ? decoded_ : as_it_is_;
    if (!model) model.emplace(load_model(checkpoint_, registry_, options_, ternary));
    return *model;
  }

 private:
  bool is_bitnet() const {
    Json config = checkpoint_.config;
    lift_quantization_config(config, checkpoint_);
    const Json settings = config.value("quantization_config", Json());
    return settings.is_object() && settings.value("quant_method", Json()) == "bitnet";
  }

  const Checkpoint& checkpoint_;
  const Registry& registry_;
  const SourceOptions& options_;
  std::optional<LoadedModel> as_it_is_;
  std::optional<LoadedModel> decoded_;
};

}  // namespace

std::vector<Plan> make_plans(const Checkpoint& checkpoint, const Registry& registry, const ConvertOptions& options,
                             const std::vector<QuantOptions>& variants) {
  for (const QuantOptions& variant : variants) QuantPolicy::check_options(variant);
  Models models(checkpoint, registry, options.source);
  SharedValues shared;
  std::vector<Plan> plans(variants.size());
  for (size_t i = 0; i < variants.size(); ++i) {
    const LoadedModel& model = models.model_for(variants[i]);
    // From here on the model is known; what follows decides its output.
    Plan& plan = plans[i];
    plan.architecture = model.description.name;
    plan.notes = model.notes;
    note_dtype(model.config, variants[i], plan.notes);
    build_plan(plan, model, variants[i], variants.size() > 1 ? &shared : nullptr);
    plan.keeps_vision = model.description.has_flag("keeps_vision") && has_vision_tower(model.tensors);
    lay_out(plan, options.max_shard_bytes);
  }
  return plans;
}

Plan make_plan(const Checkpoint& checkpoint, const Registry& registry, const ConvertOptions& options) {
  return std::move(make_plans(checkpoint, registry, options, {options.quant}).front());
}

}  // namespace hf2mlx
