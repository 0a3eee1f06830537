// What mlx_lm's load_model does between reading tensors and having a model: the source's own quantization, and strictness.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "arch/model.h"
#include "arch/rules.h"
#include "base/json.h"
#include "quant/codec.h"

namespace hf2mlx {

// A module and the tensors it is loaded from.
struct LoadedModule {
  Module module;
  std::optional<Encoding> encoding;  // of the source; null: the weight is plain
  Json entry;                        // what config.json says of it, when it names the module
  TensorRef values = nullptr;        // what the packed weight stands for; null: what mx.dequantize makes of it
};

// Turns the source's `quantization_config` into MLX's `quantization` where the rules have made MLX's own encodings of the tensors, as
// mlx_lm does. Throws Error{kUnsupported} for schemes it cannot read.
void adopt_source_quantization(Json& config);

// BitNet: mlx_lm's loader takes every linear layer to be ternary that config.json does not exclude by its path, while transformers excludes
// the head and whatever a shorter name stands for. Adds the layers whose weights are floats.
void exclude_plain_layers(Json& config, const std::vector<Module>& modules, const TensorMap& tensors);

// Finds the encoding of each module and holds names and shapes against the model, as load_weights(strict=True) does.
// Throws Error{kCorrupt} that lists every missing, unexpected and mis-shaped tensor.
std::vector<LoadedModule> match_modules(std::vector<Module> modules, const Json& config, const TensorMap& tensors);

// {"group_size", "bits", "mode"} as config.json has it; missing keys are MLX's defaults.
Encoding encoding_from_json(const Json& entry);
Json json_of(const Encoding& encoding);

}  // namespace hf2mlx
