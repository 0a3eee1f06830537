// From a checkpoint's tensors to a loaded model: decoded where another tool has quantized them, through the rules, matched.
#pragma once

#include "arch/registry.h"
#include "decode/decode.h"
#include "plan/build.h"

namespace hf2mlx {

// Layers that the source holds packed stay so where the rules move them as a whole; those that they take apart are decoded to floats.
LoadedModel load_model(const Description& description, const Registry& registry, const Json& config, const TensorMap& source,
                       Ternary ternary = Ternary::kStays);

}  // namespace hf2mlx
