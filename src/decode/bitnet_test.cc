// BitNet's ternary layers against a plain decode written here from the definition of the format.
#include "decode/test_support.h"

namespace hf2mlx {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace hf2mlx::testing;

constexpr size_t kRows = 16;
constexpr size_t kCols = 64;
constexpr float kScale = 3;

struct TernaryLayer {
  std::vector<int> codes;  // -1, 0 or 1
  TensorMap tensors;
};

TernaryLayer random_layer(Dtype dtype) {
  TernaryLayer layer;
  for (const uint32_t word : generated_words(kRows * kCols, 1)) layer.codes.push_back(static_cast<int>(word % 3) - 1);
  std::vector<uint8_t> bytes(kRows / 4 * kCols);
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t col = 0; col < kCols; ++col) {
      const int code = layer.codes[row * kCols + col] + 1;
      bytes[row % (kRows / 4) * kCols + col] |= static_cast<uint8_t>(code << 2 * (row / (kRows / 4)));
    }
  }
  layer.tensors = {{"a.weight", stored(array_of(Dtype::kU8, {kRows / 4, kCols}, bytes))},
                   {"a.weight_scale", stored(from_floats(dtype, {1}, {kScale}))}};
  return layer;
}

Array values_of(const TernaryLayer& layer, float factor, Dtype dtype) {
  std::vector<float> values;
  for (const int code : layer.codes) values.push_back(code == 0 ? 0 : static_cast<float>(code) * factor);
  return from_floats(dtype, {kRows, kCols}, values);
}

DecodedSource decode_ternary(const std::string& flags, Json& config, TensorMap& tensors, Packing packing) {
  return decode_source(family(flags), config, tensors, [&](const std::string&) { return packing; }, {OwnRules::kRead, Ternary::kDecoded});
}

const Json kDivided = {{"quant_method", "bitnet"}, {"modules_to_not_convert", {"lm_head"}}};
const Json kMultiplied = {{"quant_method", "bitnet"}, {"linear_class", "autobitlinear"}};

TEST(Bitnet, CodesStayExactlyInTwoBitsOrBecomeFloats) {
  for (const Dtype dtype : {Dtype::kBF16, Dtype::kF16, Dtype::kF32}) {
    for (const auto& [settings, factor] : {std::pair(kDivided, 1 / kScale), std::pair(kMultiplied, kScale)}) {
      const TernaryLayer layer = random_layer(dtype);
      const Array expected = values_of(layer, factor, dtype);
      TensorMap tensors = layer.tensors;
      Json config = {{"quantization_config", settings}};
      const DecodedSource kept = decode_ternary("", config, tensors, Packing::kKeep);
      ASSERT_EQ(kept.packed.size(), 1u);
      EXPECT_TRUE((kept.packed[0].encoding == Encoding{QuantMode::kAffine, 2, 64}));
      EXPECT_THAT(testing::names_of(tensors), ::testing::ElementsAre("a.biases", "a.scales", "a.weight"));
      expect_tensor(ops::dequantize(tensors["a.weight"], tensors["a.scales"], tensors["a.biases"], kept.packed[0].encoding, dtype),
                    expected, 4096);
      expect_tensor(kept.packed[0].values, expected, 4096);
      tensors = layer.tensors;
      config = {{"quantization_config", settings}};
      EXPECT_TRUE(decode_ternary("", config, tensors, Packing::kDecode).packed.empty());
      EXPECT_EQ(config, Json::object());
      expect_tensor(tensors["a.weight"], expected, 4096);
    }
  }
}

TEST(Bitnet, StaysWhereMlxLmHasALayerForIt) {
  const TernaryLayer layer = random_layer(Dtype::kBF16);
  TensorMap tensors = layer.tensors;
  Json config = {{"quantization_config", kDivided}};
  decode(config, tensors);
  EXPECT_EQ(tensors, layer.tensors);
  decode_ternary("keeps_ternary", config, tensors, Packing::kKeep);
  EXPECT_EQ(tensors, layer.tensors);
  EXPECT_EQ(config["quantization_config"], kDivided);
}

TEST(Bitnet, DisagreementsNameBothSides) {
  const auto refused = [](TensorMap tensors) {
    Json config = {{"quantization_config", kDivided}};
    return error_of([&] { decode_ternary("", config, tensors, Packing::kKeep); });
  };
  EXPECT_THAT(refused({{"a.weight", stored(from_floats(Dtype::kF32, {1}, {1}))}}),
              IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("'bitnet' stated"), HasSubstr("no tensor"))));
  TensorMap tensors = random_layer(Dtype::kBF16).tensors;
  tensors["a.weight_scale"] = stored(from_floats(Dtype::kBF16, {2}, {1, 1}));
  EXPECT_THAT(refused(tensors), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("a.weight: U8 [4, 64]"), HasSubstr("BF16 [2]"))));
  TensorMap head;
  for (const auto& [name, tensor] : random_layer(Dtype::kBF16).tensors) head["lm_head" + name.substr(1)] = tensor;
  EXPECT_THAT(refused(head), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("modules_to_not_convert"), HasSubstr("lm_head"))));
}

}  // namespace
}  // namespace hf2mlx
