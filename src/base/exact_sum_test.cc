#include "base/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace hf2mlx {
namespace {

double sum_of(const std::vector<double>& values) {
  ExactSum sum;
  for (const double v : values) sum.add(v);
  return sum.value();
}

TEST(ExactSum, HoldsEveryNumber) {
  using Limits = std::numeric_limits<double>;
  for (const double v : {0.0, 1.0, 0.1, 1e300, 3e-300, Limits::max(), Limits::min(), Limits::denorm_min()}) EXPECT_EQ(sum_of({v}), v);
}

TEST(ExactSum, LosesNoSmallNumber) {
  std::vector<double> values(1000, 1e-20);
  values.push_back(1.0);
  values.push_back(1e-3);
  EXPECT_DOUBLE_EQ(sum_of(values), 1.001 + 1e-17);
}

TEST(ExactSum, TheOrderDoesNotMatter) {
  std::mt19937 random(1);
  std::lognormal_distribution<double> numbers(0, 40);
  std::vector<double> values(5000);
  for (double& v : values) v = numbers(random);
  const double expected = sum_of(values);
  for (int i = 0; i < 20; ++i) {
    std::shuffle(values.begin(), values.end(), random);
    ExactSum halves[2];
    for (size_t k = 0; k < values.size(); ++k) halves[k % 2].add(values[k]);
    halves[0] += halves[1];
    EXPECT_EQ(halves[0].value(), expected);
  }
}

}  // namespace
}  // namespace hf2mlx
