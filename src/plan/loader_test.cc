// What a checkpoint is held against.
#include "plan/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_error.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

TensorRef zeros(const Shape& shape) {
  const std::vector<float> values(element_count(shape));
  return ops::reshape(ops::constant(values, Dtype::kBF16), shape);
}

std::vector<Module> linear_layers() {
  return {{"a", Role::kLinear, {{"a.weight", {6, 8}}, {"a.bias", {6}}}}, {"head", Role::kLinear, {{"head.weight", {6, 8}}}}};
}

TEST(MatchModules, BitNetLayersArePackedAlongTheirRows) {
  const Json config = {{"quantization_config", {{"quant_method", "bitnet"}, {"modules_to_not_convert", {"head"}}}}};
  const TensorMap tensors{
      {"a.weight", zeros({2, 8})}, {"a.weight_scale", zeros({1})}, {"a.bias", zeros({6})}, {"head.weight", zeros({6, 8})}};
  const std::vector<LoadedModule> loaded = match_modules(linear_layers(), config, tensors);
  EXPECT_FALSE(is_quantizable(loaded[0].module.role));
  EXPECT_EQ(loaded[0].module.params.size(), 3u);
  EXPECT_TRUE(is_quantizable(loaded[1].module.role));
}

TEST(MatchModules, DifferencesAreNamed) {
  const TensorMap tensors{{"a.weight", zeros({6, 4})}, {"a.bias", zeros({6})}, {"other", zeros({1})}};
  EXPECT_THAT(error_of([&] { match_modules(linear_layers(), Json::object(), tensors); }),
              IsError(ErrorCode::kCorrupt,
                      testing::AllOf(testing::HasSubstr("head.weight"), testing::HasSubstr("other"), testing::HasSubstr("a.weight is"))));
}

}  // namespace
}  // namespace hf2mlx
