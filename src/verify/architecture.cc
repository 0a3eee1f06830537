// Tensors against the architecture. An MLX folder is itself a checkpoint: the planner opens it as mlx_lm's load_model would.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "hf2mlx/error.h"
#include "plan/planner.h"
#include "source/incomplete.h"
#include "source/open_checkpoint.h"
#include "verify/checks.h"
#include "verify/swift_models.h"
#include "writer/config_json.h"

namespace hf2mlx {
namespace {

void refuse(const char* check, const char* place, const Error& error, Findings& findings) {
  findings.error({.check = check, .place = place, .reason = error.what(), .remedy = error.hint(), .refused_by = everyone()});
}

// What is loaded is what is stored, where a folder is in MLX's form; otherwise rules rename, stack or decode it first.
void compare_with_stored(const Checkpoint& checkpoint, const Plan& plan, Findings& findings) {
  std::map<std::string_view, const StoredTensor*> stored;
  for (const StoredTensor& tensor : checkpoint.tensors) stored.emplace(tensor.name, &tensor);
  std::vector<std::string> changed, cast;
  for (const OutputTensor& loaded : plan.outputs) {
    const auto at = stored.find(loaded.name);
    if (at == stored.end() || at->second->shape != loaded.shape) {
      changed.push_back(loaded.name);
    } else if (at->second->dtype != loaded.dtype) {
      cast.push_back(fmt::format("{} ({})", loaded.name, name_of(at->second->dtype)));
    }
  }
  if (!changed.empty()) {
    findings.note(
        {.check = "architecture.not-mlx",
         .place = "model*.safetensors",
         .reason = fmt::format("{} tensors are renamed, stacked or decoded on loading: {}; this is the original form of the model",
                               changed.size(), shorten(changed)),
         .remedy = "hf2mlx convert makes an MLX model of it"});
  } else if (!cast.empty()) {
    findings.note({.check = "architecture.dtype",
                   .place = "model*.safetensors",
                   .reason = fmt::format("{} tensors are of another type than config.json states: {}", cast.size(), shorten(cast)),
                   .remedy = "nothing has to be done; hf2mlx convert --dtype casts them"});
  }
}

// A conversion ties what has no head, and says so in the new config.json; mlx_lm does not load it.
void check_head(const Json& stated, const Json& loaded, Findings& findings) {
  constexpr const char* kKey = "tie_word_embeddings";
  if (stated.value(kKey, Json(false)) == loaded.value(kKey, Json(false))) return;
  findings.error({.check = "architecture.head",
                  .place = "config.json, tie_word_embeddings",
                  .reason = "is false, but there is no lm_head",
                  .remedy = "set it to true, or convert the model again",
                  .refused_by = everyone()});
}

// Scales and biases of a head that a conversion leaves out; mlx_lm takes but its weight away, and refuses the rest.
void check_rest_of_head(const Checkpoint& checkpoint, const Plan& plan, Findings& findings) {
  constexpr std::string_view kScales = "lm_head.scales";
  const auto has_scales = [&](const auto& tensors) {
    return std::any_of(tensors.begin(), tensors.end(), [&](const auto& tensor) { return tensor.name.ends_with(kScales); });
  };
  if (!has_scales(checkpoint.tensors) || has_scales(plan.outputs)) return;
  findings.error({.check = "architecture.head",
                  .place = "config.json, tie_word_embeddings",
                  .reason = "is true, but a packed lm_head is there",
                  .remedy = "convert the model again; or set it to false, if the head is not the same as the embeddings",
                  .refused_by = everyone()});
}

void check_swift(const Json& config, Findings& findings) {
  const Json type = config.value("model_type", Json());
  if (!type.is_string() || has_swift_model(type.get<std::string>())) return;
  findings.note({.check = "architecture.swift",
                 .place = "config.json, model_type",
                 .reason = fmt::format("{} is no model of mlx-swift-lm (at commit {})", type.get<std::string>(), kSwiftCommit),
                 .remedy = "look for a newer mlx-swift-lm, if programs in Swift are to load it",
                 .refused_by = {kSwift}});
}

// Nothing for a folder that is no source of a conversion, though programs that pass over the index load it.
std::optional<Checkpoint> open(const SourceOptions& source, Findings& findings) {
  try {
    Checkpoint checkpoint = open_checkpoint(source);
    checkpoint.config = merge_generation_config(std::move(checkpoint.config), checkpoint.generation_config);
    return checkpoint;
  } catch (const Error& error) {
    findings.warning({.check = "architecture.unchecked",
                      .place = "model*.safetensors",
                      .reason = fmt::format("the tensors cannot be held against the architecture: {}", error.what()),
                      .remedy = error.hint()});
    return std::nullopt;
  }
}

}  // namespace

void check_architecture(const ModelFolder& folder, const SourceOptions& source, const Registry& registry, Findings& findings) {
  if (!folder.config.is_object()) return;
  try {
    find_architecture(folder.config, registry, source.arch);
  } catch (const Error& error) {
    return refuse("architecture.unknown", "config.json", error, findings);
  }
  check_swift(folder.config, findings);
  // What is wrong with the files has been found by now; the planner would only say it again.
  if (folder.weights.empty() || findings.has_errors()) return;
  ConvertOptions options;
  options.source = source;
  options.source.model = folder.path.string();
  const std::optional<Checkpoint> checkpoint = open(options.source, findings);
  if (!checkpoint) return;
  try {
    const Plan plan = make_plan(*checkpoint, registry, options);
    compare_with_stored(*checkpoint, plan, findings);
    check_head(checkpoint->config, plan.config, findings);
    check_rest_of_head(*checkpoint, plan, findings);
  } catch (const Error& error) {
    refuse("architecture.tensors", "model*.safetensors", error, findings);
  }
}

}  // namespace hf2mlx
