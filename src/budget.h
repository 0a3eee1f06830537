// Bits for each layer under a budget: measured, chosen, and said as if the user had named every layer.
#pragma once

#include <string>
#include <vector>

#include "arch/registry.h"
#include "hf2mlx/options.h"
#include "hf2mlx/progress.h"
#include "hf2mlx/report.h"
#include "source/checkpoint.h"

namespace hf2mlx {

struct ChosenBits {
  QuantOptions quant;                   // without a budget, with an override for each layer in front of the user's own
  std::vector<FrontierPoint> frontier;  // from the smallest to the largest, the chosen one among them
  std::vector<std::string> notes;
};

// Reads all weights that may be quantized once, unless --sensitivity names a file that knows what they would lose. `quant` has a budget.
// Throws Error{kUsage} where even the fewest bits exceed it.
ChosenBits choose_bits(const Checkpoint& checkpoint, const Registry& registry, const ConvertOptions& options, const QuantOptions& quant,
                       Progress* progress, const CancelToken* cancel);

}  // namespace hf2mlx
