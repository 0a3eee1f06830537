// config.json of the output: what the planner computed, with the fields removed and doubled that MLX's readers expect.
#pragma once

#include "base/json.h"

namespace hf2mlx {

// Whether the vision tower is part of the output, and with it `vision_config`.
enum class Keep { kNo, kYes };

// The configuration as it is read before planning: `eos_token_id` of generation_config.json replaces the one of config.json unless it is
// missing, null, 0, false or empty. A generation_config that is not an object changes nothing.
Json merge_generation_config(Json config, const Json& generation_config);

// Drops `_name_or_path`, and `vision_config` unless it is kept; repeats `quantization` as `quantization_config`, which is where
// transformers and the hub look; and removes words of others from entries of layers, for which mlx_lm would not load the model.
Json finish_config(Json config, Keep vision);

}  // namespace hf2mlx
