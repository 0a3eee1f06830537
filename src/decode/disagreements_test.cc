// What config.json states of a quantized source and its tensors contradict, and forms that it names and nobody here reads.
#include "decode/test_support.h"

namespace hf2mlx {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace hf2mlx::testing;

TensorRef words(const Shape& shape) { return stored(array_of(Dtype::kI32, shape, generated_words(element_count(shape), 1))); }
TensorRef ones(Dtype dtype, const Shape& shape) { return stored(from_floats(dtype, shape, std::vector<float>(element_count(shape), 1))); }

// 64 inputs, 32 outputs, one group.
TensorMap gptq_layer() { return {{"a.qweight", words({8, 32})}, {"a.qzeros", words({1, 4})}, {"a.scales", ones(Dtype::kF16, {1, 32})}}; }
TensorMap awq_layer() { return {{"a.qweight", words({64, 4})}, {"a.qzeros", words({1, 4})}, {"a.scales", ones(Dtype::kF16, {1, 32})}}; }

Json integers(const char* method, const Json& more = Json::object()) {
  Json settings = {{"quant_method", method}, {"bits", 4}, {"group_size", 64}};
  settings.update(more);
  return settings;
}

size_t packed_layers(const Json& settings, TensorMap tensors) {
  Json config = {{"quantization_config", settings}};
  return decode(config, tensors).packed.size();
}

TEST(Disagreements, ZeroPointsThatAreStatedAndMissing) {
  TensorMap gptq = gptq_layer();
  TensorMap awq = awq_layer();
  gptq.erase("a.qzeros");
  awq.erase("a.qzeros");
  EXPECT_THAT(refusal(integers("gptq", {{"sym", false}}), gptq),
              IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("sym"), HasSubstr("a.qzeros"))));
  EXPECT_THAT(refusal(integers("awq", {{"zero_point", true}}), awq),
              IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("zero_point"), HasSubstr("a.qzeros"))));
  EXPECT_EQ(packed_layers(integers("gptq", {{"sym", true}}), gptq), 1u);
  EXPECT_EQ(packed_layers(integers("awq", {{"zero_point", false}}), awq), 1u);
}

TEST(Disagreements, ZeroPointsOfASymmetricLayer) {
  const Json weights = {{"num_bits", 4}, {"group_size", 32}, {"symmetric", true}, {"type", "int"}};
  const TensorMap tensors{
      {"a.weight_packed", words({8, 8})}, {"a.weight_scale", ones(Dtype::kBF16, {8, 2})}, {"a.weight_zero_point", words({1, 2})}};
  EXPECT_THAT(refusal(compressed("pack-quantized", weights), tensors),
              IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("a stated as symmetric"), HasSubstr("a.weight_zero_point"))));
}

TEST(Disagreements, KernelsOfAwq) {
  for (const char* key : {"version", "checkpoint_format", "format"}) {
    EXPECT_THAT(refusal(integers("awq", {{key, "gemv"}}), awq_layer()),
                IsError(ErrorCode::kUnsupported, AllOf(HasSubstr(key), HasSubstr("gemv"))));
    EXPECT_EQ(packed_layers(integers("awq", {{key, "gemm"}}), awq_layer()), 1u);
  }
}

TEST(Disagreements, PackingsOfAutoRound) {
  for (const char* packing : {"auto_round", "auto_round:gptqmodel", "auto_round:auto_gptq"})
    EXPECT_EQ(packed_layers(integers("auto-round", {{"packing_format", packing}}), gptq_layer()), 1u) << packing;
  const Json awq = integers("auto-round", {{"packing_format", "auto_round:auto_awq"}});
  EXPECT_EQ(packed_layers(awq, awq_layer()), 1u);
  EXPECT_THAT(refusal(awq, gptq_layer()), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("'awq'"), HasSubstr("a.qweight"))));
  EXPECT_THAT(refusal(integers("auto-round", {{"packing_format", "auto_round:llm_compressor"}}), gptq_layer()),
              IsError(ErrorCode::kUnsupported, HasSubstr("auto_round:llm_compressor")));
}

TEST(Disagreements, WidthsAndTablesOfBitsandbytes) {
  const TensorMap eight{{"a.weight", stored(generated_bytes(Dtype::kI8, {4, 8}, 1))}, {"a.SCB", ones(Dtype::kF32, {4})}};
  const TensorMap four{{"a.weight", stored(generated_bytes(Dtype::kU8, {16, 1}, 1))},
                       {"a.weight.quant_state.bitsandbytes__nf4", stored(generated_bytes(Dtype::kU8, {4}, 1))}};
  const Json stated_four = {{"quant_method", "bitsandbytes"}, {"load_in_4bit", true}, {"load_in_8bit", false}};
  const Json stated_eight = {{"quant_method", "bitsandbytes"}, {"load_in_4bit", false}, {"load_in_8bit", true}};
  EXPECT_THAT(refusal(stated_four, eight), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("load_in_4bit stated"), HasSubstr("a.SCB"))));
  EXPECT_THAT(refusal(stated_eight, four), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("load_in_8bit stated"), HasSubstr("__nf4"))));
  Json fp4 = stated_four;
  fp4["bnb_4bit_quant_type"] = "fp4";
  EXPECT_THAT(refusal(fp4, four), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("'fp4' stated"), HasSubstr("__nf4 is nf4"))));
}

TEST(Disagreements, AlgorithmsOfModelopt) {
  const TensorMap tensors{{"a.weight", stored(generated_bytes(Dtype::kF8E4M3, {4, 8}, 1))}, {"a.weight_scale", ones(Dtype::kF32, {1})}};
  Json mixed = {{"quant_method", "modelopt"}, {"quant_algo", "MIXED_PRECISION"}, {"quantized_layers", {{"a", {{"quant_algo", "FP8"}}}}}};
  TensorMap decoded = tensors;
  Json config = {{"quantization_config", mixed}};
  decode(config, decoded);
  EXPECT_EQ(decoded["a.weight"]->dtype(), Dtype::kBF16);
  mixed["quantized_layers"]["b"] = {{"quant_algo", "W4A16_AWQ"}};
  EXPECT_THAT(refusal(mixed, tensors), IsError(ErrorCode::kUnsupported, AllOf(HasSubstr("W4A16_AWQ"), HasSubstr("for b"))));
}

// [outputs, 1, inputs, 1] of blocks.
TEST(Fp8, BlocksOfModeloptHaveFourAxes) {
  const Array codes = array_of(Dtype::kF8E4M3, {2, 4}, std::vector<uint8_t>(8, 0x38));
  const TensorMap tensors{{"a.weight", stored(codes)}, {"a.weight_scale", stored(from_floats(Dtype::kF32, {1, 1, 2, 1}, {1, 2}))}};
  expect_values({{"quant_method", "modelopt"}, {"quant_algo", "FP8_PB_WO"}, {"weight_block_size", {2, 2}}}, tensors,
                from_floats(Dtype::kBF16, {2, 4}, {1, 1, 2, 2, 1, 1, 2, 2}));
}

}  // namespace
}  // namespace hf2mlx
