// What becomes of layers that the source has packed, and of those that it has not.
#include "plan/build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transform/test_support.h"

namespace hf2mlx {
namespace {

using testing::random_floats;
using testing::read_all;
using testing::stored;
using testing::to_floats;

constexpr Encoding kFour{QuantMode::kAffine, 4, 64};
constexpr Encoding kEight{QuantMode::kAffine, 8, 64};

Json json_of_bits(int bits) { return {{"group_size", 64}, {"bits", bits}, {"mode", "affine"}}; }

class BuildPlanTest : public ::testing::Test {
 protected:
  BuildPlanTest() {
    model_.config["quantization"] = json_of_bits(4);
    add_packed("a", kFour, 1);
    add_packed("b", kEight, 2);
    model_.modules.push_back({{"c", Role::kLinear, {{"c.weight", {4, 128}}}}, std::nullopt, Json()});
    model_.tensors["c.weight"] = stored(random_floats(Dtype::kBF16, {4, 128}, 3));
  }

  void add_packed(const std::string& path, const Encoding& e, uint32_t seed) {
    model_.modules.push_back({{path, Role::kLinear, {{path + ".weight", {4, 128}}}}, e, Json()});
    const ops::Encoded parts = ops::quantize(stored(random_floats(Dtype::kBF16, {4, 128}, seed)), e);
    model_.tensors[path + ".weight"] = parts.packed;
    model_.tensors[path + ".scales"] = parts.scales;
    if (parts.biases) model_.tensors[path + ".biases"] = parts.biases;
  }

  static QuantOptions requantize(uint32_t bits, std::vector<std::string> overrides = {}) {
    QuantOptions options;
    options.quantize = options.requantize = true;
    options.bits = bits;
    options.overrides = std::move(overrides);
    return options;
  }

  Plan plan(const QuantOptions& options, SharedValues* shared = nullptr) const {
    Plan out;
    build_plan(out, model_, options, shared);
    return out;
  }

  static const Step& step_of(const Plan& plan, const std::string& output) {
    for (const Step& step : plan.steps) {
      if (plan.outputs[step.first_output].name == output) return step;
    }
    throw std::runtime_error("no step for " + output);
  }

  const Description description_{};
  LoadedModel model_{.description = description_, .config = Json::object(), .scope = Scope(), .tensors = {}, .modules = {}};
};

TEST_F(BuildPlanTest, PackedLayersStayUnlessAskedOtherwise) {
  QuantOptions options = requantize(8);
  options.requantize = false;
  const Plan p = plan(options);
  EXPECT_EQ(step_of(p, "a.weight").value, model_.tensors["a.weight"]);
  EXPECT_EQ(step_of(p, "c.weight").encoding, kEight);
  Json expected = json_of_bits(4);
  expected["c"] = json_of_bits(8);
  EXPECT_EQ(p.config["quantization"], expected);
  EXPECT_THAT(p.notes, ::testing::Contains(::testing::HasSubstr("2 layers are quantized in the source, and stay")));
}

TEST_F(BuildPlanTest, WhatOnlyTheModelCanUndoStaysPacked) {
  Description packs{};
  packs.flags = {"keeps_packed"};
  const LoadedModel model{
      .description = packs, .config = model_.config, .scope = Scope(), .tensors = model_.tensors, .modules = model_.modules};
  QuantOptions dequantize;
  dequantize.dequantize = true;
  for (const QuantOptions& options : {dequantize, requantize(8)}) {
    Plan p;
    build_plan(p, model, options, nullptr);
    EXPECT_EQ(step_of(p, "a.weight").value, model_.tensors["a.weight"]);
    EXPECT_EQ(p.config["quantization"]["bits"], 4);
  }
  Plan p;
  build_plan(p, model, dequantize, nullptr);
  EXPECT_EQ(p.config, model_.config);
  EXPECT_THAT(p.notes, ::testing::ElementsAre(::testing::HasSubstr("2 layers are packed in a way that only the model")));
}

TEST_F(BuildPlanTest, RequantizingDecodesAndEncodes) {
  const Plan p = plan(requantize(8));
  const Step& a = step_of(p, "a.weight");
  EXPECT_EQ(a.encoding, kEight);
  EXPECT_TRUE(a.reencoded);
  QuantOptions dequantize;
  dequantize.dequantize = true;
  EXPECT_EQ(read_all(a.value).bytes, read_all(step_of(plan(dequantize), "a.weight").value).bytes);
  EXPECT_EQ(p.reencoded_layers, 1u);
  EXPECT_EQ(p.quantized_layers, 2u);
  EXPECT_EQ(p.config["quantization"], json_of_bits(8));
  EXPECT_EQ(p.config["quantization_config"], json_of_bits(8));
}

TEST_F(BuildPlanTest, ALayerThatHasTheEncodingLosesNothing) {
  const Plan p = plan(requantize(8));
  EXPECT_EQ(step_of(p, "b.weight").value, model_.tensors["b.weight"]);
  EXPECT_EQ(step_of(p, "b.biases").value, model_.tensors["b.biases"]);
  EXPECT_FALSE(step_of(p, "b.weight").encoding);
}

TEST_F(BuildPlanTest, WhatTheSourceLeftAsFloatsStaysUnlessNamed) {
  EXPECT_FALSE(step_of(plan(requantize(8)), "c.weight").encoding);
  const Plan named = plan(requantize(8, {"c=3"}));
  EXPECT_EQ(step_of(named, "c.weight").encoding, (Encoding{QuantMode::kAffine, 3, 64}));
  EXPECT_FALSE(step_of(named, "c.weight").reencoded);
  EXPECT_EQ(named.config["quantization"]["c"], json_of_bits(3));
}

TEST_F(BuildPlanTest, WhatWasDecodedToFloatsIsMeasuredToo) {
  QuantOptions options;
  options.quantize = true;
  model_.config.erase("quantization");
  std::erase_if(model_.modules, [](const LoadedModule& loaded) { return loaded.encoding.has_value(); });
  EXPECT_FALSE(plan(options).loses_twice());
  model_.decoded_from = "fp8";
  const Plan p = plan(options);
  EXPECT_TRUE(step_of(p, "c.weight").reencoded);
  EXPECT_TRUE(p.loses_twice());
  EXPECT_FALSE(plan({}).loses_twice());
}

TEST_F(BuildPlanTest, AKeptLayerIsNamedWhereItDiffers) {
  const Plan p = plan(requantize(8, {"a=keep", "b=keep"}));
  Json expected = json_of_bits(8);
  expected["a"] = json_of_bits(4);
  EXPECT_EQ(p.config["quantization"], expected);
  EXPECT_EQ(p.reencoded_layers, 0u);
}

TEST_F(BuildPlanTest, EntriesOfTheSourceAreForgotten) {
  model_.config["quantization"]["b"] = json_of_bits(8);
  model_.config["quantization"]["c"] = false;
  EXPECT_EQ(plan(requantize(3)).config["quantization"], json_of_bits(3));
}

TEST_F(BuildPlanTest, TheDtypeAskedForIsThatOfTheScales) {
  QuantOptions options = requantize(8);
  options.dtype = "float16";
  const Plan p = plan(options);
  EXPECT_EQ(step_of(p, "a.weight").value->dtype(), Dtype::kF16);
  add_packed("m", default_encoding(QuantMode::kMxfp4), 4);
  EXPECT_EQ(step_of(plan(options), "m.weight").value->dtype(), Dtype::kF16);
}

TEST_F(BuildPlanTest, ActivationsAreQuantizedOnlyWhereEveryLayerKnowsHow) {
  model_.config["quantize_activations"] = true;
  EXPECT_FALSE(plan(requantize(3)).config.contains("quantize_activations"));
  QuantOptions options = requantize(8, {"b=8:32:mxfp8"});
  options.mode = "mxfp8";
  EXPECT_TRUE(plan(options).config.contains("quantize_activations"));
}

TEST_F(BuildPlanTest, VariantsShareWhatTheyCompute) {
  SharedValues shared;
  const Plan three = plan(requantize(3), &shared);
  const Plan six = plan(requantize(6), &shared);
  EXPECT_EQ(step_of(three, "a.weight").value, step_of(six, "a.weight").value);
  EXPECT_NE(step_of(three, "a.weight").value, step_of(three, "b.weight").value);
  EXPECT_NE(step_of(plan(requantize(3)), "a.weight").value, step_of(three, "a.weight").value);
}

// Experts of nvfp4 [2, 3, 32] with a scale each: w = value * group's scale * (global scale / 2688).
class GlobalScaleTest : public BuildPlanTest {
 protected:
  GlobalScaleTest() {
    model_.modules = {{{"e", Role::kLinear, {{"e.weight", {2, 3, 32}}}}, default_encoding(QuantMode::kNvfp4), Json()}};
    const ops::Encoded parts = ops::quantize(stored(random_floats(Dtype::kBF16, {2, 3, 32}, 9)), default_encoding(QuantMode::kNvfp4));
    model_.tensors = {
        {"e.weight", parts.packed}, {"e.scales", parts.scales}, {"e.global_scale", ops::constant({537.6f, 8064.0f}, Dtype::kF32)}};
    model_.config["quantization"] = {{"group_size", 16}, {"bits", 4}, {"mode", "nvfp4"}};
    const auto plain =
        to_floats(read_all(ops::dequantize(parts.packed, parts.scales, nullptr, default_encoding(QuantMode::kNvfp4), Dtype::kF32)));
    for (size_t i = 0; i < plain.size(); ++i) expected_.push_back(plain[i] * (i < 96 ? 0.2 : 3.0));
  }

  void expect_close(const TensorRef& value) const {
    const std::vector<float> found = to_floats(read_all(value));
    ASSERT_EQ(found.size(), expected_.size());
    for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected_[i], std::abs(expected_[i]) / 256) << i;
  }

  std::vector<double> expected_;
};

TEST_F(GlobalScaleTest, IsPartOfWhatIsDecoded) {
  QuantOptions options;
  options.dequantize = true;
  const Plan p = plan(options);
  ASSERT_EQ(p.outputs.size(), 1u);
  EXPECT_EQ(p.outputs[0].dtype, Dtype::kBF16);
  expect_close(p.steps[0].value);
  EXPECT_FALSE(p.config.contains("quantization"));
}

TEST_F(GlobalScaleTest, IsPartOfWhatIsEncodedAnew) {
  QuantOptions options = requantize(8);
  options.group_size = 32;
  const Plan p = plan(options);
  expect_close(step_of(p, "e.weight").value);
  for (const OutputTensor& t : p.outputs) EXPECT_NE(t.name, "e.global_scale");
}

TEST_F(GlobalScaleTest, ALayerThatStaysHasNoEntry) {
  QuantOptions options = requantize(8, {"e=keep"});
  const Plan p = plan(options);
  EXPECT_EQ(p.outputs.size(), 3u);
  EXPECT_FALSE(p.config["quantization"].contains("e"));
}

// What a target may choose for: not what the user or the source has settled.
TEST_F(BuildPlanTest, LayersThatNothingSettlesAreOpen) {
  QuantOptions options = requantize(4, {"b=8"});
  options.budget.bits_per_weight = 4;
  const Plan p = plan(options);
  ASSERT_EQ(p.open_layers.size(), 1u);  // `c` was left as floats by the source
  EXPECT_EQ(p.open_layers[0].path, "a");
  EXPECT_EQ(p.open_layers[0].purpose, "linear");
  EXPECT_EQ(p.steps[p.open_layers[0].step].encoding, kFour);  // though it has that encoding already
  EXPECT_TRUE(plan(requantize(4)).open_layers.empty());
}

}  // namespace
}  // namespace hf2mlx
