// See build.h.
#include "plan/build.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "hf2mlx/error.h"
#include "plan/importances.h"
#include "plan/layer_purpose.h"
#include "plan/policy.h"
#include "quant/lattice.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

std::optional<Dtype> conversion_dtype(const std::string& name) {
  if (name == "float16") return Dtype::kF16;
  if (name == "bfloat16") return Dtype::kBF16;
  if (name == "float32") return Dtype::kF32;
  return std::nullopt;
}

// --dtype, else torch_dtype, else text_config.dtype: where mlx_lm looks.
std::optional<Dtype> target_dtype(const QuantOptions& options, const Json& config) {
  if (!options.dtype.empty()) {
    const auto dtype = conversion_dtype(options.dtype);
    if (!dtype) throw Error(ErrorCode::kUsage, "--dtype: '" + options.dtype + "' found, float16, bfloat16 or float32 expected");
    return dtype;
  }
  Json stated = config.value("torch_dtype", Json());
  if (stated.is_null() && config.contains("text_config") && config["text_config"].is_object())
    stated = config["text_config"].value("dtype", Json());
  return stated.is_string() ? conversion_dtype(stated.get<std::string>()) : std::nullopt;
}

Fit wanted_fit(const QuantOptions& options) {
  if (!options.lattice.empty()) return Fit::kLattice;
  const auto fit = fit_from_name(options.fit);
  if (!fit) throw Error(ErrorCode::kUsage, "--q-fit: '" + options.fit + "' found, fast or best expected");
  // Weights mean nothing to rounding to nearest.
  return *fit == Fit::kNearest && !options.imatrix.empty() ? Fit::kFast : *fit;
}

// Builds steps and outputs from the loaded modules.
class PlanBuilder {
 public:
  PlanBuilder(Plan& plan, const LoadedModel& model, const QuantOptions& options, SharedValues* shared)
      : plan_(plan),
        description_(model.description),
        tensors_(model.tensors),
        modules_(model.modules),
        options_(options),
        shared_(shared),
        dtype_(target_dtype(options, model.config)),
        fit_(wanted_fit(options)),
        source_is_packed_(model.config.contains("quantization")),
        source_is_decoded_(!model.decoded_from.empty()) {
    if (options.quantize && !options.imatrix.empty()) importances_.emplace(options.imatrix, description_);
  }

  void add(const LoadedModule& loaded, QuantPolicy* policy) {
    for (const Param& p : loaded.module.params) plan_.parameters += element_count(p.shape);
    if (loaded.encoding) return add_packed(loaded, policy);
    Decision decision;
    if (policy && is_quantizable(loaded.module.role)) {
      // What a quantized source left as floats was left so for a reason.
      decision = options_.requantize && source_is_packed_ ? policy->decide_named(loaded.module) : policy->decide(loaded.module);
      set_entry(loaded.module.path, decision.entry);
    }
    // The scale of a ternary layer, beside its codes.
    if (!loaded.module.params.empty() && loaded.module.params[0].name.ends_with(".weight_scale")) ++kept_layers_;
    for (size_t i = 0; i < loaded.module.params.size(); ++i) {
      const std::string& name = loaded.module.params[i].name;
      const TensorRef value = cast_param(name);
      if (i == 0 && decision.encoding)
        add_encoded(loaded.module, value, decision);
      else
        add_plain(name, value);
    }
  }

  // What the user should know of layers that the source has quantized.
  void finish() {
    if (options_.dequantize && kept_layers_ > 0)
      plan_.notes.push_back(
          fmt::format("{} packed in a way that only the model itself can undo, and {}", layers(kept_layers_), stays(kept_layers_)));
    if (options_.dequantize || !options_.quantize) return;
    if (importances_) plan_.notes.push_back(importances_->finish());
    if (!options_.requantize && kept_layers_ > 0 && !description_.has_flag("keeps_ternary")) {
      plan_.notes.push_back(
          fmt::format("{} quantized in the source, and {}; --requantize encodes them anew", layers(kept_layers_), stays(kept_layers_)));
    }
    if (plan_.reencoded_layers > 0) {
      plan_.notes.push_back(fmt::format("{} quantized in the source, and now a second time", layers(plan_.reencoded_layers)));
    }
    const bool activations = modes_.count(QuantMode::kAffine) == 0 && modes_.count(QuantMode::kMxfp4) == 0;
    if (plan_.reencoded_layers == 0 || activations || plan_.config.erase("quantize_activations") == 0) return;
    plan_.notes.push_back("config.json: quantize_activations is left out, as only nvfp4 and mxfp8 layers know it");
  }

 private:
  static std::string_view stays(uint64_t n) { return n == 1 ? "stays as it is" : "stay as they are"; }
  static std::string layers(uint64_t n) { return fmt::format("{} {}", n, n == 1 ? "layer is" : "layers are"); }

  TensorRef cast_param(const std::string& name) const { return cast(name, tensors_.find(name)->second); }

  TensorRef cast(const std::string& name, const TensorRef& tensor) const {
    if (!dtype_ || !is_float(tensor->dtype()) || tensor->dtype() == *dtype_) return tensor;
    for (const Pattern& pattern : description_.cast_keep) {
      if (pattern.matches(name)) return tensor;
    }
    return shared(fmt::format("{} as {}", name, name_of(*dtype_)), [&] { return ops::cast(tensor, *dtype_); });
  }

  // What several plans compute alike is one object, by which the pipeline knows that it need be computed once.
  template <class Make>
  TensorRef shared(const std::string& key, Make make) const {
    if (!shared_) return make();
    TensorRef& value = (*shared_)[key];
    if (!value) value = make();
    return value;
  }

  void set_entry(const std::string& path, const Json& entry) {
    if (!entry.is_null()) plan_.config["quantization"][path] = entry;
  }

  // A layer that the source has packed already: as it is, decoded, or decoded and encoded anew.
  void add_packed(const LoadedModule& loaded, QuantPolicy* policy) {
    if (description_.has_flag("keeps_packed"))
      keep_packed(loaded, policy);
    else if (options_.dequantize)
      add_plain(loaded.module.path + ".weight", decoded(loaded));
    else if (policy && options_.requantize)
      add_reencoded(loaded, policy->decide(loaded.module));
    else
      keep_packed(loaded, policy);
    for (size_t i = 1; i < loaded.module.params.size(); ++i)
      add_plain(loaded.module.params[i].name, cast_param(loaded.module.params[i].name));
  }

  void keep_packed(const LoadedModule& loaded, QuantPolicy* policy) {
    if (policy) policy->pass_over(loaded.module.path);
    ++plan_.quantized_layers;
    ++kept_layers_;
    modes_.insert(loaded.encoding->mode);
    for (const char* part : {".weight", ".scales", ".biases", ".global_scale"}) {
      const std::string name = loaded.module.path + part;
      if (tensors_.count(name)) add_plain(name, cast_param(name));
    }
  }

  // A layer that is to stay, or has that encoding already, loses nothing.
  void add_reencoded(const LoadedModule& loaded, const Decision& decision) {
    const std::string& path = loaded.module.path;
    const Encoding& e = *loaded.encoding;
    if (decision.encoding && (*decision.encoding != e || is_open(decision))) {
      add_encoded(loaded.module, cast(path + ".weight", decoded(loaded)), decision);
      plan_.steps.back().reencoded = true;
      ++plan_.reencoded_layers;
      return set_entry(path, decision.entry);
    }
    keep_packed(loaded, nullptr);
    // An entry would make mlx_lm's loader overlook the global scale, and without one it finds the encoding from the shapes.
    if (tensors_.count(path + ".global_scale")) return;
    if (decision.encoding) return set_entry(path, decision.entry);
    if (e != encoding_from_json(plan_.config["quantization"])) set_entry(path, json_of(e));
  }

  // As mx.dequantize gives it: of the dtype of affine scales and biases, else bfloat16.
  TensorRef decoded(const LoadedModule& loaded) const {
    const std::string dtype(dtype_ ? name_of(*dtype_) : "its dtype");
    return shared(fmt::format("{} decoded, {}", loaded.module.path, dtype), [&] { return decode(loaded); });
  }

  TensorRef decode(const LoadedModule& loaded) const {
    const std::string& path = loaded.module.path;
    const Encoding& e = *loaded.encoding;
    if (loaded.values) return cast(path + ".weight", loaded.values);
    const TensorRef packed = cast_param(path + ".weight");
    const TensorRef scales = cast_param(path + ".scales");
    if (has_biases(e)) return ops::dequantize_affine(packed, scales, cast_param(path + ".biases"), e);
    const auto global_scale = tensors_.find(path + ".global_scale");
    if (global_scale == tensors_.end()) return ops::dequantize(packed, scales, nullptr, e, Dtype::kBF16);
    return ops::cast(ops::dequantize_global(packed, scales, ops::cast(global_scale->second, Dtype::kF32)), Dtype::kBF16);
  }

  void add_plain(const std::string& name, const TensorRef& value) {
    plan_.steps.push_back({value, std::nullopt, static_cast<uint32_t>(plan_.outputs.size())});
    add_output(name, value->dtype(), value->shape());
  }

  // An embedding that has no head beside it is the head.
  std::string purpose_of(const Module& module) const {
    const std::string purpose = hf2mlx::purpose_of(description_, module.path, module.role);
    if (purpose != "token_embd") return purpose;
    const bool has_head = std::any_of(modules_.begin(), modules_.end(), [&](const LoadedModule& other) {
      return hf2mlx::purpose_of(description_, other.module.path, other.module.role) == "output";
    });
    return has_head ? purpose : "output";
  }

  bool is_open(const Decision& decision) const { return decision.by_default && options_.budget.wanted(); }

  void add_encoded(const Module& module, const TensorRef& value, const Decision& decision) {
    const std::string& path = module.path;
    const Encoding& e = *decision.encoding;
    if (!is_float(value->dtype())) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{}.weight: dtype {} found, a float expected to quantize", path, name_of(value->dtype())));
    }
    ++plan_.quantized_layers;
    modes_.insert(e.mode);
    plan_.steps.push_back({value, e, static_cast<uint32_t>(plan_.outputs.size()), source_is_decoded_});
    // Where an override or the model asks for something else, the lattice is of no use.
    plan_.steps.back().fit = fit_ == Fit::kLattice && e != kLatticeEncoding ? Fit::kNearest : fit_;
    if (importances_) plan_.steps.back().column_weights = importances_->of(path, value->shape());
    if (is_open(decision)) plan_.open_layers.push_back({path, purpose_of(module), static_cast<uint32_t>(plan_.steps.size() - 1)});
    Shape packed = value->shape();
    Shape scales = packed;
    packed.back() = packed_words(e, packed.back());
    scales.back() = groups(e, scales.back());
    add_output(path + ".weight", Dtype::kU32, packed);
    add_output(path + ".scales", scale_dtype(e, value->dtype()), scales);
    if (has_biases(e)) add_output(path + ".biases", value->dtype(), scales);
  }

  void add_output(const std::string& name, Dtype dtype, const Shape& shape) {
    plan_.outputs.push_back({name, dtype, shape});
    plan_.output_bytes += plan_.outputs.back().size_bytes();
  }

  Plan& plan_;
  const Description& description_;
  const TensorMap& tensors_;
  const std::vector<LoadedModule>& modules_;
  const QuantOptions& options_;
  SharedValues* shared_;
  std::optional<Dtype> dtype_;
  Fit fit_;
  std::optional<Importances> importances_;
  bool source_is_packed_;
  bool source_is_decoded_;
  uint64_t kept_layers_ = 0;
  std::set<QuantMode> modes_;  // of the layers that are packed in the end
};

}  // namespace

void build_plan(Plan& plan, const LoadedModel& model, const QuantOptions& options, SharedValues* shared) {
  plan.config = model.config;
  const bool keeps_packed = model.description.has_flag("keeps_packed");
  std::optional<QuantPolicy> policy;
  if (options.quantize) {
    if (options.requantize && !keeps_packed) plan.config.erase("quantization");
    std::vector<std::string> paths;
    for (const LoadedModule& m : model.modules) paths.push_back(m.module.path);
    const int64_t blocks = layer_count(model.description, model.scope);
    plan.blocks = static_cast<uint64_t>(std::max<int64_t>(blocks, 1));
    policy.emplace(options, model.description, model.scope, paths, blocks, plan.config);
    if (!plan.config.contains("quantization")) plan.config["quantization"] = policy->global_entry();
  }
  PlanBuilder builder(plan, model, options, shared);
  for (const LoadedModule& m : model.modules) builder.add(m, policy ? &*policy : nullptr);
  builder.finish();
  if (options.dequantize && !keeps_packed) {
    plan.config.erase("quantization");
    plan.config.erase("quantization_config");
  }
  if (!policy) return;
  plan.choices = policy->choices();
  plan.config["quantization_config"] = plan.config["quantization"];
  for (std::string& note : policy->finish()) plan.notes.push_back(std::move(note));
}

}  // namespace hf2mlx
