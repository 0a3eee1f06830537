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

TEST(MatchModules, FloatsOfABitNetModelAreExcludedByTheirPath) {
  const TensorMap tensors{{"a.weight", ops::view(zeros({4, 8}), Dtype::kU8)}, {"head.weight", zeros({6, 8})}};
  for (const Json& stated : {Json(), Json::array({"short"})}) {
    Json config = {{"quantization_config", {{"quant_method", "bitnet"}, {"modules_to_not_convert", stated}}}};
    exclude_plain_layers(config, linear_layers(), tensors);
    exclude_plain_layers(config, linear_layers(), tensors);
    Json expected = stated;
    expected.push_back("head");
    EXPECT_EQ(config["quantization_config"]["modules_to_not_convert"], expected);
  }
  Json other = {{"quantization_config", {{"quant_method", "gptq"}}}};
  exclude_plain_layers(other, linear_layers(), tensors);
  EXPECT_EQ(other["quantization_config"].size(), 1u);
}

TensorRef words(const Shape& shape) { return ops::view(ops::cast(zeros(shape), Dtype::kF32), Dtype::kU32); }

// Sizes would be divided by such numbers.
TEST(MatchModules, EncodingsThatMlxHasNotAreNamed) {
  const std::vector<Module> layers = {{"a", Role::kLinear, {{"a.weight", {6, 0}}}}};
  const Json inferred = {{"quantization", {{"group_size", 64}, {"bits", 4}}}};
  const TensorMap packed{{"a.weight", words({6, 8})}, {"a.scales", zeros({6, 1})}, {"a.biases", zeros({6, 1})}};
  EXPECT_THAT(error_of([&] { match_modules(layers, inferred, packed); }), IsError(ErrorCode::kCorrupt, testing::HasSubstr("a: packed")));
  const Json stated = {{"quantization", {{"group_size", 64}, {"bits", 4}, {"a", {{"group_size", 0}, {"bits", 4}}}}}};
  EXPECT_THAT(error_of([&] { match_modules(layers, stated, packed); }), IsError(ErrorCode::kCorrupt, testing::HasSubstr("groups of 0")));
}

TEST(MatchModules, DifferencesAreNamed) {
  const TensorMap tensors{{"a.weight", zeros({6, 4})}, {"a.bias", zeros({6})}, {"other", zeros({1})}};
  EXPECT_THAT(error_of([&] { match_modules(linear_layers(), Json::object(), tensors); }),
              IsError(ErrorCode::kCorrupt,
                      testing::AllOf(testing::HasSubstr("head.weight"), testing::HasSubstr("other"), testing::HasSubstr("a.weight is"))));
}

}  // namespace
}  // namespace hf2mlx
