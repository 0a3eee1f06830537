// Layers that a source holds packed, as rules move them or take them apart.
#include "plan/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_error.h"
#include "transform/test_support.h"

namespace hf2mlx {
namespace {

using testing::array_of;
using testing::from_floats;
using testing::generated_bytes;
using testing::generated_words;
using testing::stored;

// A symmetric int4 layer of compressed-tensors.
void add_layer(TensorMap& tensors, const std::string& name, uint64_t rows, uint64_t cols) {
  tensors[name + ".weight_packed"] = stored(array_of(Dtype::kI32, {rows, cols / 8}, generated_words(rows * cols / 8, 1)));
  tensors[name + ".weight_scale"] = stored(from_floats(Dtype::kBF16, {rows, cols / 32}, std::vector<float>(rows * cols / 32, 0.5f)));
}

Json int4_config() {
  const Json weights = {{"num_bits", 4}, {"group_size", 32}, {"symmetric", true}, {"type", "int"}};
  return {{"quantization_config",
           {{"quant_method", "compressed-tensors"},
            {"format", "pack-quantized"},
            {"config_groups", {{"group_0", {{"targets", {"Linear"}}, {"weights", weights}}}}}}}};
}

LoadedModel load(const Description& description, const Json& config, const TensorMap& source) {
  return load_model(description, Registry(), config, source);
}

TEST(LoadModel, RenamedAndStackedLayersStayPacked) {
  static const Description description = parse_description("x",
                                                           "rules\n"
                                                           "  stack e.{E}.{part=weight|scales|biases} -> experts.{part}\n"
                                                           "  rename a.{part} -> b.{part}\n"
                                                           "modules\n"
                                                           "  linear b [8, 64]\n"
                                                           "  switch experts [2, 8, 64]\n");
  TensorMap source;
  for (const char* name : {"a", "e.0", "e.1"}) add_layer(source, name, 8, 64);
  const LoadedModel model = load(description, int4_config(), source);
  EXPECT_TRUE(model.modules[0].encoding && model.modules[1].encoding);
  EXPECT_EQ(model.config["quantization"], (Json{{"group_size", 32}, {"bits", 4}, {"mode", "affine"}}));
  EXPECT_THAT(model.notes, ::testing::IsEmpty());
  EXPECT_EQ(model.modules[1].values->shape(), (Shape{2, 8, 64}));
  EXPECT_EQ(testing::read_all(model.modules[1].values).bytes,
            testing::read_all(ops::stack({model.modules[0].values, model.modules[0].values})).bytes);
}

TEST(LoadModel, LayersThatRulesTakeApartAreDecoded) {
  static const Description description =
      parse_description("x",
                        "rules\n"
                        "  rename q.weight -> q.weight : reshape([2, 4, it.shape[-1]]) | swap(0, 1) | reshape(it.shape)\n"
                        "  split qkv.weight\n"
                        "    -> k.weight : part(0, 0, 2)\n"
                        "    -> v.weight : part(0, 1, 2)\n"
                        "modules\n"
                        "  linear a [8, 64]\n"
                        "  linear q [8, 64]\n"
                        "  linear k [4, 64]\n"
                        "  linear v [4, 64]\n");
  TensorMap source;
  for (const char* name : {"a", "q", "qkv"}) add_layer(source, name, 8, 64);
  const LoadedModel model = load(description, int4_config(), source);
  EXPECT_TRUE(model.modules[0].encoding);
  for (size_t i = 1; i < 4; ++i) {
    EXPECT_FALSE(model.modules[i].encoding) << model.modules[i].module.path;
    EXPECT_EQ(model.tensors.at(model.modules[i].module.path + ".weight")->dtype(), Dtype::kBF16);
  }
  EXPECT_THAT(model.notes, ::testing::Contains(::testing::HasSubstr("decoded to floats")));
}

// quantize needs groups that divide rows, so the rule fails while the layer is packed.
TEST(LoadModel, OnlyKindsThatRulesCannotDoWithAreDecoded) {
  static const Description description = parse_description("x",
                                                           "rules\n"
                                                           "  stack e.{E}.{part=weight|scales|biases} -> experts.{part}\n"
                                                           "  stack f.{E}.{part=weight|scales|biases} -> others.{part}\n"
                                                           "modules\n"
                                                           "  linear a [8, 64]\n"
                                                           "  switch experts [2, 8, 64]\n"
                                                           "  switch others [2, 8, 64]\n");
  TensorMap source;
  for (const char* name : {"a", "e.0", "f.0", "f.1"}) add_layer(source, name, 8, 64);
  source["e.1.weight"] = stored(from_floats(Dtype::kBF16, {8, 64}, std::vector<float>(8 * 64, 1)));
  const LoadedModel model = load(description, int4_config(), source);
  EXPECT_TRUE(model.modules[0].encoding);
  EXPECT_FALSE(model.modules[1].encoding);
  EXPECT_TRUE(model.modules[2].encoding);
  EXPECT_THAT(model.notes, ::testing::Contains(::testing::HasSubstr("1 quantized layers are decoded to floats")));
}

TEST(LoadModel, WhatTheFamilysOwnRulesCannotReadIsDecodedBefore) {
  static const Description description = parse_description("x",
                                                           "flags decodes_fp8\n"
                                                           "rules\n"
                                                           "  fp8_blocks {p*}.weight scales {p}.weight_scale_inv block 8 8\n"
                                                           "modules\n"
                                                           "  linear a [8, 16]\n");
  const Json config = {{"quantization_config", {{"quant_method", "fp8"}, {"weight_block_size", {8, 8}}}}};
  TensorMap source{{"a.weight", stored(generated_bytes(Dtype::kF8E4M3, {8, 16}, 1))},
                   {"a.weight_scale_inv", stored(from_floats(Dtype::kF32, {1, 2}, {1, 1}))}};
  const LoadedModel published = load(description, config, source);
  EXPECT_TRUE(published.config.contains("quantization_config"));
  source["a.weight_scale"] = stored(from_floats(Dtype::kF32, {8, 1}, std::vector<float>(8, 1)));
  source.erase("a.weight_scale_inv");
  const LoadedModel other = load(description, config, source);
  EXPECT_FALSE(other.config.contains("quantization_config"));
  EXPECT_EQ(testing::read_all(other.tensors.at("a.weight")).bytes, testing::read_all(published.tensors.at("a.weight")).bytes);
  source["b.weight"] = source["a.weight"];
  EXPECT_THAT(error_of([&] { load(description, config, source); }), IsError(ErrorCode::kCorrupt, ::testing::HasSubstr("a.weight_scale")));
}

// A permutation of rows leaves all shapes as they are: only what became of the tensors tells.
TEST(LoadModel, RowsThatMoveWithoutTheirScalesAreDecoded) {
  static const Description description =
      parse_description("x",
                        "rules\n"
                        "  rename q.weight -> q.weight : reshape([2, 4, it.shape[-1]]) | swap(0, 1) | reshape(it.shape)\n"
                        "modules\n"
                        "  linear a [8, 64]\n"
                        "  linear q [8, 64]\n");
  TensorMap source;
  for (const char* name : {"a", "q"}) add_layer(source, name, 8, 64);
  const LoadedModel model = load(description, int4_config(), source);
  EXPECT_TRUE(model.modules[0].encoding);
  EXPECT_FALSE(model.modules[1].encoding);
}

TEST(LoadModel, LayersInAnotherEncodingAreNamed) {
  static const Description description = parse_description("x", "rules\nmodules\n  linear a [8, 64]\n  linear b [8, 64]\n");
  Json config = int4_config();
  config["quantization_config"]["config_groups"]["group_1"] = {
      {"targets", {"re:b"}}, {"weights", {{"num_bits", 8}, {"group_size", 64}, {"symmetric", true}, {"type", "int"}}}};
  TensorMap source;
  add_layer(source, "a", 8, 64);
  source["b.weight_packed"] = stored(array_of(Dtype::kI32, {8, 16}, generated_words(128, 1)));
  source["b.weight_scale"] = stored(from_floats(Dtype::kBF16, {8, 1}, std::vector<float>(8, 0.5f)));
  const LoadedModel model = load(description, config, source);
  EXPECT_EQ(model.config["quantization"],
            (Json{{"group_size", 32}, {"bits", 4}, {"mode", "affine"}, {"b", {{"group_size", 64}, {"bits", 8}, {"mode", "affine"}}}}));
}

TEST(LoadModel, BiasesThatOnlyGptqHasGoAndFloatsTakeTheDtypeOfTheScales) {
  static const Description description = parse_description("x", "rules\nmodules\n  linear a [8, 64]\n  linear b [8, 64] bias=true\n");
  TensorMap source;
  for (const std::string name : {"a", "b"}) {
    source[name + ".qweight"] = stored(array_of(Dtype::kI32, {8, 8}, generated_words(64, 1)));
    source[name + ".qzeros"] = stored(array_of(Dtype::kI32, {1, 1}, generated_words(1, 1)));
    source[name + ".scales"] = stored(from_floats(Dtype::kF16, {1, 8}, std::vector<float>(8, 0.5f)));
    source[name + ".bias"] = stored(from_floats(Dtype::kBF16, {8}, std::vector<float>(8, 1)));
  }
  const LoadedModel model =
      load(description, {{"quantization_config", {{"quant_method", "gptq"}, {"bits", 4}, {"group_size", 64}}}}, source);
  EXPECT_EQ(model.tensors.count("a.bias"), 0u);
  EXPECT_EQ(model.tensors.at("b.bias")->dtype(), Dtype::kF16);
  EXPECT_THAT(model.notes, ::testing::Contains(::testing::HasSubstr("left out (1)")));
}

TEST(LoadModel, FloatsRememberHowTheyWereQuantized) {
  static const Description description = parse_description("x", "rules\nmodules\n  linear a [8, 64]\n");
  TensorMap source;
  source["a.weight"] = stored(array_of(Dtype::kF8E4M3, {8, 64}, std::vector<uint8_t>(512, 0x38)));
  source["a.weight_scale"] = stored(from_floats(Dtype::kF32, {1}, {0.5f}));
  EXPECT_EQ(load(description, {{"quantization_config", {{"quant_method", "fp8"}}}}, source).decoded_from, "fp8");
  add_layer(source = {}, "a", 8, 64);
  EXPECT_EQ(load(description, int4_config(), source).decoded_from, "");
}

TEST(LoadModel, AnUnknownMethodIsNamedWhereItsTensorsDoNotFit) {
  static const Description description = parse_description("x", "rules\nmodules\n  linear a [8, 64]\n");
  TensorMap source;
  source["a.W_q"] = stored(array_of(Dtype::kU8, {4, 64}, std::vector<uint8_t>(256)));
  const auto load_hqq = [&] { load(description, {{"quantization_config", {{"quant_method", "hqq"}}}}, source); };
  EXPECT_THAT(error_of(load_hqq), IsError(ErrorCode::kUnsupported, ::testing::HasSubstr("'hqq' found, which cannot be read")));
}

TEST(LoadModel, WhatIsMissingIsStillAnError) {
  static const Description description = parse_description("x", "rules\nmodules\n  linear a [8, 64]\n  linear b [8, 64]\n");
  TensorMap source;
  add_layer(source, "a", 8, 64);
  EXPECT_THAT(error_of([&] { load(description, int4_config(), source); }), IsError(ErrorCode::kCorrupt, ::testing::HasSubstr("b.weight")));
}

}  // namespace
}  // namespace hf2mlx
