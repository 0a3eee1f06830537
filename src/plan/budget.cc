// See budget.h.
#include "plan/budget.h"

#include <algorithm>
#include <tuple>

namespace hf2mlx {
namespace {

// A step of a layer from one option to a larger one.
struct Upgrade {
  size_t layer;
  size_t to;
  uint64_t bytes;
  double gain;
  double gain_per_byte() const { return gain / static_cast<double>(bytes); }
};

size_t cheapest_option(const std::vector<LayerOption>& options) {
  const auto least = std::min_element(options.begin(), options.end(), [](const LayerOption& a, const LayerOption& b) {
    return std::tie(a.bytes, a.error) < std::tie(b.bytes, b.error);
  });
  return static_cast<size_t>(least - options.begin());
}

// The upgrade that gains most for a byte among those of at most `room` bytes more.
std::optional<Upgrade> best_upgrade(const BudgetLayer& layer, size_t index, size_t from, uint64_t room) {
  std::optional<Upgrade> best;
  const LayerOption& now = layer.options[from];
  for (size_t i = 0; i < layer.options.size(); ++i) {
    const LayerOption& option = layer.options[i];
    if (option.bytes <= now.bytes || option.bytes - now.bytes > room || option.error >= now.error) continue;
    const Upgrade upgrade{index, i, option.bytes - now.bytes, now.error - option.error};
    if (!best || upgrade.gain_per_byte() > best->gain_per_byte()) best = upgrade;
  }
  return best;
}

// The steps along a layer's lower convex hull: each gains less for a byte than the one before.
void add_hull(const BudgetLayer& layer, size_t index, std::vector<Upgrade>& out) {
  size_t at = cheapest_option(layer.options);
  while (const auto step = best_upgrade(layer, index, at, UINT64_MAX)) {
    out.push_back(*step);
    at = step->to;
  }
}

void apply(Assignment& a, const Upgrade& upgrade) {
  a.chosen[upgrade.layer] = upgrade.to;
  a.bytes += upgrade.bytes;
  a.error -= upgrade.gain;
}

void fill(const std::vector<BudgetLayer>& layers, uint64_t budget_bytes, Assignment& a) {
  for (;;) {
    std::optional<Upgrade> best;
    for (size_t i = 0; i < layers.size(); ++i) {
      const auto upgrade = best_upgrade(layers[i], i, a.chosen[i], budget_bytes - a.bytes);
      if (upgrade && (!best || upgrade->gain_per_byte() > best->gain_per_byte())) best = upgrade;
    }
    if (!best) return;
    apply(a, *best);
  }
}

// Summed anew, so that it does not depend on the way that led there.
void settle_error(const std::vector<BudgetLayer>& layers, Assignment& a) {
  a.error = 0;
  for (size_t i = 0; i < layers.size(); ++i) a.error += layers[i].options[a.chosen[i]].error;
}

}  // namespace

Assignment cheapest(const std::vector<BudgetLayer>& layers) {
  Assignment a;
  for (const BudgetLayer& layer : layers) {
    a.chosen.push_back(cheapest_option(layer.options));
    a.bytes += layer.options[a.chosen.back()].bytes;
  }
  settle_error(layers, a);
  return a;
}

std::optional<Assignment> assign(const std::vector<BudgetLayer>& layers, uint64_t budget_bytes) {
  Assignment a = cheapest(layers);
  if (a.bytes > budget_bytes) return std::nullopt;
  std::vector<Upgrade> steps;
  for (size_t i = 0; i < layers.size(); ++i) add_hull(layers[i], i, steps);
  std::stable_sort(steps.begin(), steps.end(), [](const Upgrade& x, const Upgrade& y) { return x.gain_per_byte() > y.gain_per_byte(); });
  for (const Upgrade& step : steps) {
    if (step.bytes > budget_bytes - a.bytes) break;
    apply(a, step);
  }
  fill(layers, budget_bytes, a);
  settle_error(layers, a);
  return a;
}

}  // namespace hf2mlx
