// Bits for each layer under a budget of bytes: the least error that fits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quant/codec.h"

namespace hf2mlx {

// What a layer may become.
struct LayerOption {
  Encoding encoding;
  uint64_t bytes = 0;
  double error = 0;  // what it costs the model; adds up over layers
};

struct BudgetLayer {
  std::string path;
  std::vector<LayerOption> options;  // at least one
};

struct Assignment {
  std::vector<size_t> chosen;  // the option of each layer
  uint64_t bytes = 0;
  double error = 0;
};

// The options of least bytes; of those, of least error.
Assignment cheapest(const std::vector<BudgetLayer>& layers);

// Never more than `budget_bytes`; null where even the cheapest is more. First the options on the lower convex hull of each layer, in the
// order of what a byte gains (which no assignment of as many bytes beats), as far as the budget goes; what is left is filled with the
// options that gain most for a byte, on the hull or not. A pure function: equal gains are settled by the order of the layers.
std::optional<Assignment> assign(const std::vector<BudgetLayer>& layers, uint64_t budget_bytes);

}  // namespace hf2mlx
