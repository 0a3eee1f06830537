// Tries with packed layers first, and again with those decoded that did not come through whole.
#include "plan/model.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "decode/decode.h"
#include "hf2mlx/error.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

using LayersByWeight = std::unordered_map<const LazyTensor*, const PackedLayer*>;

struct Attempt {
  LoadedModel model;
  DecodedSource decoded;
};

// Biases without a place in the model go; what else has none is an error later on.
void drop_idle_biases(LoadedModel& model, const std::vector<Module>& modules, DecodedSource& decoded) {
  std::set<std::string_view> known;
  for (const Module& m : modules) {
    for (const Param& p : m.params) known.insert(p.name);
  }
  const size_t dropped =
      std::erase_if(model.tensors, [&](const auto& entry) { return entry.first.ends_with(".bias") && !known.count(entry.first); });
  if (dropped == 0) return;
  decoded.notes.push_back(
      fmt::format("biases without a place in the architecture are left out ({}): GPTQ stores one for every layer", dropped));
}

void apply_architecture(Attempt& attempt, const Registry& registry) {
  LoadedModel& model = attempt.model;
  const Description& description = model.description;
  apply_rules(description, bind_config(description, model.config), registry, &model.config, model.tensors);
  model.scope = bind_config(description, model.config);  // anew, as rules may have set what modules read
  adopt_source_quantization(model.config);
  std::vector<Module> modules = build_modules(description, model.scope, registry, tensor_functions(model.tensors));
  if (attempt.decoded.has_idle_biases) drop_idle_biases(model, modules, attempt.decoded);
  exclude_plain_layers(model.config, modules, model.tensors);
  model.modules = match_modules(std::move(modules), model.config, model.tensors);
}

TensorRef part_of(const TensorMap& tensors, const std::string& name) {
  const auto it = tensors.find(name);
  return it == tensors.end() ? nullptr : it->second;
}

// Whether the three tensors are those of one packed layer, or are joined alike from those of several; collects their names.
bool is_whole(const TensorRef& weight, const TensorRef& scales, const TensorRef& biases, const LayersByWeight& layers,
              std::set<std::string>& names) {
  const auto found = layers.find(weight.get());
  if (found != layers.end()) {
    names.insert(found->second->name);
    return found->second->scales == scales && found->second->biases == biases;
  }
  const auto* weights = ops::joined_parts(weight);
  const auto* all_scales = scales ? ops::joined_parts(scales) : nullptr;
  const auto* all_biases = biases ? ops::joined_parts(biases) : nullptr;
  if (!weights || !all_scales || weights->size() != all_scales->size()) return false;
  if (biases && (!all_biases || all_biases->size() != weights->size())) return false;
  for (size_t i = 0; i < weights->size(); ++i) {
    if (!is_whole((*weights)[i], (*all_scales)[i], biases ? (*all_biases)[i] : nullptr, layers, names)) return false;
  }
  return true;
}

std::set<std::string> names_of(const std::vector<PackedLayer>& layers) {
  std::set<std::string> names;
  for (const PackedLayer& layer : layers) names.insert(layer.name);
  return names;
}

LayersByWeight by_weight(const std::vector<PackedLayer>& packed) {
  LayersByWeight layers;
  for (const PackedLayer& layer : packed) layers[layer.weight.get()] = &layer;
  return layers;
}

// The packed layers of the source that are not whole in what the rules have made of them.
std::set<std::string> broken_layers(const Attempt& attempt) {
  const LayersByWeight layers = by_weight(attempt.decoded.packed);
  std::set<std::string> broken = names_of(attempt.decoded.packed);
  constexpr std::string_view kWeight = ".weight";
  bool all_whole = true;
  for (const auto& [name, weight] : attempt.model.tensors) {
    if (weight->dtype() != Dtype::kU32 || !name.ends_with(kWeight)) continue;
    const std::string path = name.substr(0, name.size() - kWeight.size());
    const TensorMap& tensors = attempt.model.tensors;
    std::set<std::string> names;
    const bool whole = is_whole(weight, part_of(tensors, path + ".scales"), part_of(tensors, path + ".biases"), layers, names);
    all_whole = all_whole && whole;
    if (!whole) continue;
    for (const std::string& layer : names) broken.erase(layer);
  }
  // Where nothing is broken, the rules have dropped what is missing.
  if (all_whole) broken.clear();
  return broken;
}

// The values of a packed weight that is one layer or a stack of them; null where only its tensors tell.
TensorRef values_of(const TensorRef& weight, const LayersByWeight& layers) {
  const auto found = layers.find(weight.get());
  if (found != layers.end()) return found->second->values;
  const auto* parts = ops::joined_parts(weight);
  if (!parts || weight->shape().size() != (*parts)[0]->shape().size() + 1) return nullptr;
  std::vector<TensorRef> values;
  for (const TensorRef& part : *parts) {
    values.push_back(values_of(part, layers));
    if (!values.back()) return nullptr;
  }
  return ops::stack(values);
}

// Layers whose encoding is not that of the model are named, and floats get the dtype of the scales.
void finish(Attempt& attempt, const std::set<std::string>& apart) {
  LoadedModel& model = attempt.model;
  if (!attempt.decoded.packed.empty()) {
    const Encoding global = encoding_from_json(model.config["quantization"]);
    const LayersByWeight layers = by_weight(attempt.decoded.packed);
    for (LoadedModule& loaded : model.modules) {
      if (!loaded.encoding) continue;
      loaded.values = values_of(part_of(model.tensors, loaded.module.path + ".weight"), layers);
      if (*loaded.encoding == global) continue;
      const Encoding& e = *loaded.encoding;
      model.config["quantization"][loaded.module.path] = {{"group_size", e.group_size}, {"bits", e.bits}, {"mode", name_of(e.mode)}};
    }
    model.config["quantization_config"] = model.config["quantization"];
  }
  if (attempt.decoded.float_dtype) {
    for (auto& [name, tensor] : model.tensors) {
      if (is_float(tensor->dtype())) tensor = ops::cast(tensor, *attempt.decoded.float_dtype);
    }
  }
  model.notes = std::move(attempt.decoded.notes);
  model.decoded_from = std::move(attempt.decoded.decoded_from);
  if (apart.empty()) return;
  model.notes.push_back(fmt::format("{} quantized layers are decoded to floats, as the architecture takes them apart: {}{}", apart.size(),
                                    *apart.begin(), apart.size() > 1 ? ", ..." : ""));
}

// What does not fit is of a scheme that nobody here knows.
Error unknown_method(const std::string& method, const Error& error) {
  return Error(ErrorCode::kUnsupported,
               fmt::format("config.json: quantization_config.quant_method '{}' found, which cannot be read; so {}", method, error.what()),
               "convert the model that this one was quantized from");
}

// What the rules make of the tensors, after those were decoded that they do not read themselves.
class Loading {
 public:
  Loading(const Description& description, const Registry& registry, const Json& config, const TensorMap& source, const Readers& readers)
      : description_(description), registry_(registry), config_(config), source_(source), readers_(readers) {}

  LoadedModel load() {
    std::set<std::string> apart;
    for (;;) {
      Attempt attempt = decoded(apart);
      const std::optional<std::set<std::string>> broken = apply(attempt);
      if (!broken) return load_what_can_be(names_of(attempt.decoded.packed), std::move(apart));
      if (broken->empty()) return finished(std::move(attempt), apart);
      apart.insert(broken->begin(), broken->end());
    }
  }

  // Whether the last attempt left the source's form to the rules.
  bool left_to_rules() const { return left_to_rules_; }

 private:
  Attempt decoded(const std::set<std::string>& apart) {
    Attempt attempt{{description_, config_, Scope(), source_, {}, {}}, {}};
    const PackingOf packing = [&](const std::string& layer) { return apart.count(layer) ? Packing::kDecode : Packing::kKeep; };
    attempt.decoded = decode_source(description_, attempt.model.config, attempt.model.tensors, packing, readers_);
    left_to_rules_ = attempt.decoded.left_to_rules;
    return attempt;
  }

  // The layers that have to be decoded first; nullopt where rules cannot do with codes what they do with floats, whichever those are.
  std::optional<std::set<std::string>> apply(Attempt& attempt) const {
    try {
      apply_architecture(attempt, registry_);
      return broken_layers(attempt);
    } catch (const Error& error) {
      if (!attempt.decoded.unknown_method.empty()) throw unknown_method(attempt.decoded.unknown_method, error);
      if (attempt.decoded.packed.empty()) throw;
      return std::nullopt;
    }
  }

  // Everything decoded, then packed again kind by kind where the rules can do with that.
  LoadedModel load_what_can_be(const std::set<std::string>& packed, std::set<std::string> apart) {
    std::map<std::string, std::vector<std::string>> kinds;
    for (const std::string& layer : packed) kinds[kind_of_layer(layer)].push_back(layer);
    apart.insert(packed.begin(), packed.end());
    std::optional<Attempt> best(decoded(apart));
    apply(*best);
    for (const auto& [kind, layers] : kinds) {
      std::set<std::string> fewer = apart;
      for (const std::string& layer : layers) fewer.erase(layer);
      Attempt attempt = decoded(fewer);
      const std::optional<std::set<std::string>> broken = apply(attempt);
      if (!broken || !broken->empty()) continue;
      apart = std::move(fewer);
      best.emplace(std::move(attempt));
    }
    return finished(std::move(*best), apart);
  }

  static LoadedModel finished(Attempt attempt, const std::set<std::string>& apart) {
    finish(attempt, apart);
    return std::move(attempt.model);
  }

  const Description& description_;
  const Registry& registry_;
  const Json& config_;
  const TensorMap& source_;
  const Readers readers_;
  bool left_to_rules_ = false;
};

}  // namespace

LoadedModel load_model(const Description& description, const Registry& registry, const Json& config, const TensorMap& source,
                       Ternary ternary) {
  Loading loading(description, registry, config, source, {OwnRules::kRead, ternary});
  try {
    return loading.load();
  } catch (const Error&) {
    if (!loading.left_to_rules()) throw;
    // Rules read the form that their family is published in; other tools write others.
    try {
      return Loading(description, registry, config, source, {OwnRules::kBypassed, ternary}).load();
    } catch (const Error&) {  // what was wrong with the published form tells more
    }
    throw;
  }
}

}  // namespace hf2mlx
