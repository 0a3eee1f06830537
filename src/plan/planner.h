// Makes the plan: tensors through the architecture's rules, dtypes, encodings, files and offsets. Reads headers only.
#pragma once

#include "arch/registry.h"
#include "hf2mlx/options.h"
#include "plan/plan.h"
#include "source/checkpoint.h"

namespace hf2mlx {

// `checkpoint.config` is as mlx_lm loads it (eos_token_id of generation_config.json merged in).
Plan make_plan(const Checkpoint& checkpoint, const Registry& registry, const ConvertOptions& options);

// One plan for each of `variants`, which stand in for options.quant. Steps of different plans that have the same value share its object.
std::vector<Plan> make_plans(const Checkpoint& checkpoint, const Registry& registry, const ConvertOptions& options,
                             const std::vector<QuantOptions>& variants);

// The description for a checkpoint: options.arch where given, else by config.json. Throws Error{kUnsupported} that names the nearest types.
const Description& find_architecture(const Json& config, const Registry& registry, const std::string& arch);

}  // namespace hf2mlx
