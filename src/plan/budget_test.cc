// Against every assignment that there is, on small cases.
#include "plan/budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace hf2mlx {
namespace {

// Sizes of 2 to 8 bits and errors that fall by about four for each bit.
std::vector<BudgetLayer> random_layers(uint32_t seed, size_t count) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0.5, 2.0);
  std::vector<BudgetLayer> layers(count);
  for (BudgetLayer& layer : layers) {
    const double importance = std::pow(uniform(random), 4);
    const auto size = static_cast<uint64_t>(100 * uniform(random));
    for (const uint32_t bits : {2u, 3u, 4u, 6u, 8u})
      layer.options.push_back({{QuantMode::kAffine, bits, 64}, size * bits, importance * std::pow(0.25, bits) * uniform(random)});
  }
  return layers;
}

// The least error of all assignments that fit; infinity where none does.
double brute_force(const std::vector<BudgetLayer>& layers, uint64_t budget, size_t from = 0) {
  if (from == layers.size()) return 0;
  double best = INFINITY;
  for (const LayerOption& option : layers[from].options) {
    if (option.bytes <= budget) best = std::min(best, option.error + brute_force(layers, budget - option.bytes, from + 1));
  }
  return best;
}

double largest_option(const std::vector<BudgetLayer>& layers) {
  uint64_t bytes = 0;
  for (const BudgetLayer& layer : layers) bytes += layer.options.back().bytes;
  return static_cast<double>(bytes);
}

TEST(Budget, NeverExceededAndNearTheBest) {
  double worst = 1, product = 1;
  int cases = 0;
  for (uint32_t seed = 0; seed < 40; ++seed) {
    const std::vector<BudgetLayer> layers = random_layers(seed, 5);
    for (const double part : {0.3, 0.5, 0.7, 0.9}) {
      const auto budget = static_cast<uint64_t>(part * largest_option(layers));
      const std::optional<Assignment> a = assign(layers, budget);
      const double best = brute_force(layers, budget);
      ASSERT_EQ(a.has_value(), std::isfinite(best));
      if (!a) continue;
      EXPECT_LE(a->bytes, budget);
      EXPECT_GE(a->error, best * (1 - 1e-12));
      worst = std::max(worst, a->error / best);
      product *= a->error / best;
      ++cases;
    }
  }
  // Five layers leave large gaps; more layers, smaller ones.
  EXPECT_LT(worst, 2.5);
  EXPECT_LT(std::pow(product, 1.0 / cases), 1.1);
}

// Where the budget is spent to the byte on the upgrades that gain most, nothing is better.
TEST(Budget, TheHullIsExact) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::vector<BudgetLayer> layers = random_layers(seed, 8);
    for (BudgetLayer& layer : layers) layer.options.resize(2);
    const auto gain = [](const BudgetLayer& layer) {
      return (layer.options[0].error - layer.options[1].error) / static_cast<double>(layer.options[1].bytes - layer.options[0].bytes);
    };
    std::sort(layers.begin(), layers.end(), [&](const BudgetLayer& x, const BudgetLayer& y) { return gain(x) > gain(y); });
    uint64_t budget = cheapest(layers).bytes;
    for (const BudgetLayer& layer : layers) {
      if (layer.options[1].error < layer.options[0].error) budget += layer.options[1].bytes - layer.options[0].bytes;
      EXPECT_DOUBLE_EQ(assign(layers, budget)->error, brute_force(layers, budget));
    }
  }
}

TEST(Budget, ManyLayersFillTheBudget) {
  const std::vector<BudgetLayer> layers = random_layers(7, 300);
  const auto budget = static_cast<uint64_t>(0.5 * largest_option(layers));
  const std::optional<Assignment> a = assign(layers, budget);
  ASSERT_TRUE(a);
  EXPECT_LE(a->bytes, budget);
  EXPECT_GT(static_cast<double>(a->bytes), 0.998 * static_cast<double>(budget));
}

TEST(Budget, TooLittleForTheCheapest) {
  const std::vector<BudgetLayer> layers = random_layers(1, 3);
  const uint64_t least = cheapest(layers).bytes;
  EXPECT_FALSE(assign(layers, least - 1));
  EXPECT_EQ(assign(layers, least)->chosen, cheapest(layers).chosen);
}

TEST(Budget, MoreThanEnoughTakesTheLeastError) {
  for (const BudgetLayer& layer : random_layers(3, 6)) {
    const std::optional<Assignment> a = assign({layer}, UINT64_MAX);
    for (const LayerOption& option : layer.options) EXPECT_LE(layer.options[a->chosen[0]].error, option.error);
  }
}

TEST(Budget, AnOptionThatIsLargerAndNoBetterIsNeverTaken) {
  const BudgetLayer layer{"a", {{{}, 100, 1.0}, {{}, 120, 1.0}, {{}, 130, 2.0}}};
  EXPECT_EQ(assign({layer}, 200)->chosen, std::vector<size_t>{0});
}

}  // namespace
}  // namespace hf2mlx
