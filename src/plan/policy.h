// Which layers are quantized, and how: mlx_lm's rule, the model's own, a mixed recipe, the caller's predicate, or the user's overrides.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arch/model.h"
#include "base/json.h"
#include "hf2mlx/options.h"
#include "quant/codec.h"

namespace hf2mlx {

struct Decision {
  std::optional<Encoding> encoding;  // null: the layer stays as it is
  Json entry;                        // what config.json says of the layer; null: nothing
  bool by_default = false;           // neither the model nor the user has named the layer
};

// BITS[:GROUP[:MODE]]. Throws Error{kUsage} that begins with `where`.
Encoding parse_encoding(const std::string& text, const std::string& where);

class QuantPolicy {
 public:
  // Throws Error{kUsage} on options that contradict each other or that MLX does not have, whatever the model. As mlx_lm does, it refuses
  // a recipe in another mode even where nothing is quantized.
  static void check_options(const QuantOptions& options);

  // `modules` are those of the model; `config` tells whether it is quantized already. Requires options that check_options() lets pass.
  // Throws Error{kUnsupported} where a recipe cannot tell the model's layers apart.
  QuantPolicy(const QuantOptions& options, const Description& description, const Scope& scope, const std::vector<std::string>& module_paths,
              int64_t layers, const Json& config);

  Decision decide(const Module& module);
  // By the overrides alone: a layer that none of them names stays as it is.
  Decision decide_named(const Module& module);
  // A layer that the source has quantized stays so, whatever the options say.
  void pass_over(const std::string& path);

  // What the predicate has said of the layers it was asked about.
  const LayerChoices& choices() const { return choices_; }
  // The `quantization` object that a model without one gets.
  Json global_entry() const;
  // What the user should know after all layers were decided: layers skipped, overrides that matched nothing (an Error{kUsage}).
  std::vector<std::string> finish() const;

 private:
  struct Override {
    Pattern pattern;
    std::string text;
    std::optional<Encoding> encoding;  // null: keep
    uint64_t matched = 0;
    uint64_t passed_over = 0;
  };

  static Override parse_override(const std::string& text);
  void locate_layers(const std::vector<std::string>& module_paths);
  std::optional<Decision> overridden(const Module& module);
  Decision ask_predicate(const Module& module);
  Decision decide_stated(const Module& module, const LayerChoice& choice) const;
  Decision default_decision() const;
  Json recipe_entry(const std::string& path) const;
  Json model_entry(const std::string& path) const;

  const Description& description_;
  const Scope& scope_;
  std::string recipe_;
  LayerPredicate predicate_;
  Encoding global_;
  int64_t layers_;
  size_t layer_position_ = 0;
  bool entry_for_each_;
  std::vector<Override> overrides_;
  std::vector<std::string> skipped_;
  LayerChoices choices_;
};

}  // namespace hf2mlx
