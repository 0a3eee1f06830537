// Schemes of 8-bit and 4-bit floats, and bitsandbytes, against a plain decode written here from the definition of each format.
#include <cmath>
#include <functional>

#include "decode/test_support.h"

namespace hf2mlx {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace hf2mlx::testing;

// --- 8-bit floats

// Sign, exponent and fraction by the definition of the format; the last exponent of E4M3 has numbers, too.
float e4m3(uint8_t code) {
  const int exponent = code >> 3 & 15;
  const float fraction = static_cast<float>(code & 7) / 8;
  const float magnitude = exponent == 0 ? std::ldexp(fraction, -6) : std::ldexp(1 + fraction, exponent - 7);
  return code & 0x80 ? -magnitude : magnitude;
}

float e5m2(uint8_t code) {
  const int exponent = code >> 2 & 31;
  const float fraction = static_cast<float>(code & 3) / 4;
  const float magnitude = exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15);
  return code & 0x80 ? -magnitude : magnitude;
}

// Without NaN and infinities.
Array fp8_codes(Dtype dtype, const Shape& shape) {
  Array codes = generated_bytes(dtype, shape, 5);
  for (std::byte& code : codes.bytes) code &= std::byte{dtype == Dtype::kF8E4M3 ? uint8_t{0xf7} : uint8_t{0xdf}};
  return codes;
}

Array fp8_values(const Array& codes, const std::vector<float>& scales, const std::function<size_t(size_t, size_t)>& scale_of) {
  std::vector<float> out;
  const size_t cols = cols_of(codes.shape);
  for (size_t i = 0; i < codes.bytes.size(); ++i) {
    const uint8_t code = std::to_integer<uint8_t>(codes.bytes[i]);
    out.push_back((codes.dtype == Dtype::kF8E4M3 ? e4m3(code) : e5m2(code)) * scales[scale_of(i / cols, i % cols)]);
  }
  return from_floats(Dtype::kBF16, codes.shape, out);
}

const Json kFp8 = {{"quant_method", "fp8"}, {"weight_block_size", {16, 8}}};

TEST(Fp8, ScalesOfTensorsRowsAndBlocksUnderEveryName) {
  for (const Dtype dtype : {Dtype::kF8E4M3, Dtype::kF8E5M2}) {
    const Array codes = fp8_codes(dtype, {24, 20});
    const std::vector<float> scales = to_floats(testing::generated_floats(Dtype::kF32, {24}, 6));
    const auto some = [&](Shape shape) {
      const size_t n = element_count(shape);
      return stored(from_floats(Dtype::kF32, std::move(shape), {scales.begin(), scales.begin() + static_cast<ptrdiff_t>(n)}));
    };
    const TensorRef weight = stored(codes);
    expect_values(kFp8, {{"a.weight", weight}, {"a.weight_scale_inv", some({2, 3})}},
                  fp8_values(codes, scales, [](size_t r, size_t c) { return r / 16 * 3 + c / 8; }));
    for (const Shape& shape : {Shape{24, 1}, Shape{24}}) {
      expect_values(kFp8, {{"a.weight", weight}, {"a.weight_scale", some(shape)}},
                    fp8_values(codes, scales, [](size_t r, size_t) { return r; }));
    }
    for (const Shape& shape : {Shape{}, Shape{1}, Shape{1, 1}}) {
      expect_values(kFp8, {{"a.weight", weight}, {"a.scale", some(shape)}, {"a.input_scale", some({})}, {"a.k_scale", some({})}},
                    fp8_values(codes, scales, [](size_t, size_t) { return 0; }));
    }
  }
}

TEST(Fp8, StackedExperts) {
  const Array codes = fp8_codes(Dtype::kF8E4M3, {3, 16, 8});
  const std::vector<float> scales = {0.5f, 0.25f, 3.0f};
  expect_values(kFp8, {{"experts.up", stored(codes)}, {"experts.up_scale_inv", stored(from_floats(Dtype::kF32, {3, 1, 1}, scales))}},
                fp8_values(codes, scales, [](size_t r, size_t) { return r / 16; }), "experts.up");
}

TEST(Fp8, OfOtherTools) {
  const Array codes = fp8_codes(Dtype::kF8E4M3, {4, 8});
  const TensorMap rows{{"a.weight", stored(codes)}, {"a.weight_scale", stored(from_floats(Dtype::kBF16, {4, 1}, {1, 2, 4, 8}))}};
  const Array expected = fp8_values(codes, {1, 2, 4, 8}, [](size_t r, size_t) { return r; });
  expect_values(compressed("float-quantized", {{"num_bits", 8}, {"type", "float"}}), rows, expected);
  expect_values(compressed("naive-quantized", {{"num_bits", 8}, {"type", "float"}}), rows, expected);
  expect_values({{"quant_method", "modelopt"}, {"quant_algo", "FP8"}}, rows, expected);
  const TensorMap blocks{{"a.weight", stored(codes)}, {"a.weight_scale", stored(from_floats(Dtype::kBF16, {2, 2}, {1, 2, 4, 8}))}};
  expect_values(compressed("float-quantized", {{"num_bits", 8}, {"type", "float"}, {"strategy", "block"}, {"block_structure", {2, 4}}}),
                blocks, fp8_values(codes, {1, 2, 4, 8}, [](size_t r, size_t c) { return r / 2 * 2 + c / 4; }));
}

TEST(Fp8, ExponentsForEach32ValuesStayAsMxfp8) {
  const Array codes = fp8_codes(Dtype::kF8E4M3, {4, 64});
  const Array scales = array_of<uint8_t>(Dtype::kU8, {4, 2}, {127, 126, 128, 127, 120, 130, 127, 127});
  TensorMap tensors{{"a.weight", stored(codes)}, {"a.weight_scale", stored(scales)}};
  Json config = {{"quantization_config", {{"quant_method", "modelopt"}, {"quant_algo", "MXFP8"}}}};
  const DecodedSource decoded = decode(config, tensors);
  ASSERT_EQ(decoded.packed.size(), 1u);
  EXPECT_EQ(config["quantization"], (Json{{"group_size", 32}, {"bits", 8}, {"mode", "mxfp8"}}));
  EXPECT_EQ(read_all(tensors["a.weight"]).bytes, codes.bytes);
  EXPECT_EQ(read_all(tensors["a.scales"]).bytes, scales.bytes);
}

TEST(Fp8, DisagreementsNameBothSides) {
  const TensorRef weight = stored(fp8_codes(Dtype::kF8E4M3, {24, 20}));
  EXPECT_THAT(
      refusal(kFp8, {{"a.weight", weight}, {"a.weight_scale_inv", stored(from_floats(Dtype::kF32, {3, 3}, std::vector<float>(9)))}}),
      IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("16 x 8"), HasSubstr("a.weight_scale_inv is [3, 3]"))));
  EXPECT_THAT(refusal(kFp8, {{"a.weight", weight}, {"b.weight", weight}, {"a.weight_scale", stored(from_floats(Dtype::kF32, {}, {1}))}}),
              IsError(ErrorCode::kCorrupt, HasSubstr("b.weight is F8_E4M3 without a scale")));
  EXPECT_THAT(refusal(kFp8, {{"a.weight", stored(from_floats(Dtype::kF32, {1}, {1}))}}),
              IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("'fp8' stated"), HasSubstr("no tensor"))));
  for (Json config : {Json::object(), Json{{"quantization_config", Json::object()}}}) {
    TensorMap tensors{{"a.weight", weight}};
    EXPECT_THAT(error_of([&] { decode(config, tensors); }),
                IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("no quantization_config"), HasSubstr("a.weight is F8_E4M3 without a scale"))));
  }
}

TEST(Fp8, LeftToFamiliesThatDecodeItThemselves) {
  const TensorMap source{{"a.weight", stored(fp8_codes(Dtype::kF8E4M3, {16, 8}))},
                         {"a.weight_scale_inv", stored(from_floats(Dtype::kF32, {1, 1}, {1}))}};
  TensorMap tensors = source;
  Json config = {{"quantization_config", kFp8}};
  EXPECT_TRUE(decode_source(family("decodes_fp8"), config, tensors, [](const std::string&) { return Packing::kKeep; }).packed.empty());
  EXPECT_EQ(tensors, source);
  EXPECT_EQ(config["quantization_config"], kFp8);
}

// --- 4-bit floats

constexpr float kE2m1[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};

Array fp4_values(const Array& codes, size_t group, const std::function<float(size_t)>& scale_of) {
  std::vector<float> out;
  for (size_t i = 0; i < codes.bytes.size() * 2; ++i) {
    const uint8_t byte = std::to_integer<uint8_t>(codes.bytes[i / 2]);
    out.push_back(kE2m1[i % 2 == 0 ? byte & 15 : byte >> 4] * scale_of(i / group));
  }
  return from_floats(Dtype::kBF16, {codes.shape[0], codes.shape[1] * 2}, out);
}

TEST(Fp4, Nvfp4OfModelopt) {
  const Array codes = generated_bytes(Dtype::kU8, {4, 16}, 7);
  const Array scales = fp8_codes(Dtype::kF8E4M3, {4, 2});
  const float global = 0.0123f;
  const TensorMap tensors{{"a.weight", stored(codes)},
                          {"a.weight_scale", stored(scales)},
                          {"a.weight_scale_2", stored(from_floats(Dtype::kF32, {}, {global}))},
                          {"a.input_scale", stored(from_floats(Dtype::kF32, {}, {5}))}};
  const Array expected = fp4_values(codes, 16, [&](size_t g) { return e4m3(std::to_integer<uint8_t>(scales.bytes[g])) * global; });
  expect_values({{"quant_method", "modelopt"}, {"quant_algo", "NVFP4"}}, tensors, expected);
  // hf_quant_config.json
  expect_values({{"producer", {{"name", "modelopt"}}}, {"quantization", {{"quant_algo", "NVFP4"}, {"group_size", 16}}}}, tensors, expected);
  EXPECT_THAT(refusal({{"quant_method", "modelopt"}, {"quant_algo", "FP8"}}, tensors),
              IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("FP8"), HasSubstr("a.weight_scale_2"))));
}

TEST(Fp4, Nvfp4OfCompressedTensorsIsDividedByItsGlobalScale) {
  const Array codes = generated_bytes(Dtype::kU8, {4, 16}, 7);
  const Array scales = fp8_codes(Dtype::kF8E4M3, {4, 2});
  const float global = 300.7f;
  const TensorMap tensors{{"a.weight_packed", stored(codes)},
                          {"a.weight_scale", stored(scales)},
                          {"a.weight_global_scale", stored(from_floats(Dtype::kF32, {1}, {global}))},
                          {"a.input_global_scale", stored(from_floats(Dtype::kF32, {1}, {5}))}};
  expect_values(compressed("nvfp4-pack-quantized", {{"num_bits", 4}, {"group_size", 16}, {"type", "float"}}), tensors,
                fp4_values(codes, 16, [&](size_t g) { return e4m3(std::to_integer<uint8_t>(scales.bytes[g])) / global; }));
}

TEST(Fp4, Mxfp4StaysPackedOrIsDecoded) {
  const Array codes = generated_bytes(Dtype::kU8, {4, 32}, 7);
  const Array scales = array_of<uint8_t>(Dtype::kU8, {4, 2}, {127, 126, 128, 127, 120, 130, 127, 127});
  const TensorMap source{{"a.weight_packed", stored(codes)}, {"a.weight_scale", stored(scales)}};
  const Json settings = compressed("mxfp4-pack-quantized", {{"num_bits", 4}, {"group_size", 32}, {"type", "float"}});
  TensorMap tensors = source;
  Json config = {{"quantization_config", settings}};
  const DecodedSource kept = decode(config, tensors);
  ASSERT_EQ(kept.packed.size(), 1u);
  EXPECT_EQ(tensors["a.weight"]->dtype(), Dtype::kU32);
  EXPECT_EQ(read_all(tensors["a.weight"]).bytes, codes.bytes);
  EXPECT_EQ(config["quantization"], (Json{{"group_size", 32}, {"bits", 4}, {"mode", "mxfp4"}}));
  expect_tensor(kept.packed[0].values,
                fp4_values(codes, 32, [&](size_t g) { return std::ldexp(1.0f, std::to_integer<int>(scales.bytes[g]) - 127); }), 4096);
  tensors = source;
  config = {{"quantization_config", settings}};
  decode(config, tensors, Packing::kDecode);
  expect_tensor(tensors["a.weight"],
                fp4_values(codes, 32, [&](size_t g) { return std::ldexp(1.0f, std::to_integer<int>(scales.bytes[g]) - 127); }), 4096);
}

// Codes are counted by hand: 0 to 7 are eighths, from then on 1.mmm with an exponent of 0, 1 or 2.
TEST(Fp4, Mxfp6IsDecoded) {
  const auto number = [](uint32_t code) {
    const float mantissa = static_cast<float>(code & 7) / 8;
    const float magnitude = (code & 31) < 8 ? mantissa : std::ldexp(1 + mantissa, static_cast<int>(code >> 3 & 3) - 1);
    return code < 32 ? magnitude : -magnitude;
  };
  std::vector<uint8_t> bytes(2 * 48);
  std::vector<float> expected;
  for (uint32_t i = 0; i < 128; ++i) {
    const uint32_t code = i * 37 % 64;
    for (uint32_t bit = 0; bit < 6; ++bit) bytes[(6 * i + bit) / 8] |= static_cast<uint8_t>((code >> bit & 1) << (6 * i + bit) % 8);
    expected.push_back(number(code) * std::ldexp(1.0f, static_cast<int>(i / 32) - 2));
  }
  const TensorMap tensors{{"a.weight_packed", stored(array_of(Dtype::kU8, {2, 48}, bytes))},
                          {"a.weight_scale", stored(array_of<uint8_t>(Dtype::kU8, {2, 2}, {125, 126, 127, 128}))}};
  expect_values(compressed("mxfp6-pack-quantized", {{"num_bits", 6}, {"group_size", 32}, {"type", "float"}}), tensors,
                from_floats(Dtype::kBF16, {2, 64}, expected));
}

TEST(Fp4, DisagreementsNameBothSides) {
  const Json weights = {{"num_bits", 4}, {"group_size", 32}, {"type", "float"}};
  TensorMap tensors{{"a.weight_packed", stored(generated_bytes(Dtype::kU8, {4, 32}, 7))},
                    {"a.weight_scale", stored(generated_bytes(Dtype::kU8, {4, 2}, 8))}};
  EXPECT_THAT(refusal(compressed("nvfp4-pack-quantized", weights), tensors),
              IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("nvfp4-pack-quantized"), HasSubstr("a.weight_packed is without"))));
  EXPECT_THAT(refusal(compressed("mxfp6-pack-quantized", {{"num_bits", 6}}), tensors),
              IsError(ErrorCode::kCorrupt, HasSubstr("each 32 values of 6 bits expected")));
  EXPECT_THAT(refusal(compressed("mxfp6-pack-quantized", {{"num_bits", 8}}), tensors),
              IsError(ErrorCode::kCorrupt, HasSubstr("num_bits 8")));
  tensors["a.weight_global_scale"] = stored(from_floats(Dtype::kF32, {1}, {1}));
  EXPECT_THAT(refusal(compressed("mxfp4-pack-quantized", weights), tensors),
              IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("mxfp4-pack-quantized"), HasSubstr("a.weight_packed is beside"))));
}

// --- bitsandbytes

const Json kBitsandbytes = {{"quant_method", "bitsandbytes"}, {"llm_int8_skip_modules", {"lm_head"}}};

TensorRef text_tensor(const std::string& text) {
  return stored(array_of(Dtype::kU8, {text.size()}, std::vector<uint8_t>(text.begin(), text.end())));
}

TEST(Bitsandbytes, FourBitsWithCodedScales) {
  constexpr size_t kRows = 24, kCols = 96, kBlocks = kRows * kCols / 64;
  const Array codes = generated_bytes(Dtype::kU8, {kRows * kCols / 2, 1}, 8);
  const Array absmax = generated_bytes(Dtype::kU8, {kBlocks}, 9);
  const Array map = testing::generated_floats(Dtype::kF32, {16}, 10);
  const Array nested_map = testing::generated_floats(Dtype::kF32, {256}, 11);
  const std::vector<float> table = to_floats(map), nested_table = to_floats(nested_map), nested = {0.75f, 1.5f, 0.1f, 0.3f, 0.7f};
  std::vector<float> expected;
  for (size_t i = 0; i < kRows * kCols; ++i) {
    const float scale = nested_table[std::to_integer<size_t>(absmax.bytes[i / 64])] * nested[i / 64 / 8] + 0.04f;
    const uint8_t byte = std::to_integer<uint8_t>(codes.bytes[i / 2]);
    expected.push_back(table[i % 2 == 0 ? byte >> 4 : byte & 15] * scale);
  }
  TensorMap tensors{{"a.weight", stored(codes)},
                    {"a.weight.absmax", stored(absmax)},
                    {"a.weight.quant_map", stored(map)},
                    {"a.weight.nested_absmax", stored(from_floats(Dtype::kF32, {5}, nested))},
                    {"a.weight.nested_quant_map", stored(nested_map)},
                    {"a.weight.quant_state.bitsandbytes__nf4",
                     text_tensor(R"({"quant_type": "nf4", "blocksize": 64, "dtype": "float16", "shape": [24, 96], "nested_blocksize": 8,
                                     "nested_dtype": "float32", "nested_offset": 0.04})")}};
  expect_values(kBitsandbytes, tensors, from_floats(Dtype::kF16, {kRows, kCols}, expected));
  tensors["a.weight.quant_state.bitsandbytes__nf4"] = text_tensor(R"({"shape": [24, 95]})");
  EXPECT_THAT(refusal(kBitsandbytes, tensors), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("[24, 95]"), HasSubstr("a.weight is U8"))));
}

TEST(Bitsandbytes, FourBitsWithPlainScales) {
  const Array codes = generated_bytes(Dtype::kU8, {48, 1}, 8);
  const Array map = testing::generated_floats(Dtype::kF32, {16}, 10);
  const std::vector<float> table = to_floats(map);
  std::vector<float> expected;
  for (size_t i = 0; i < 96; ++i) {
    const uint8_t byte = std::to_integer<uint8_t>(codes.bytes[i / 2]);
    expected.push_back(table[i % 2 == 0 ? byte >> 4 : byte & 15] * (i < 64 ? 0.3f : 0.7f));  // the last block is a partial one
  }
  expect_values(kBitsandbytes,
                {{"a.weight", stored(codes)},
                 {"a.weight.absmax", stored(from_floats(Dtype::kF32, {2}, {0.3f, 0.7f}))},
                 {"a.weight.quant_map", stored(map)},
                 {"a.weight.quant_state.bitsandbytes__fp4",
                  text_tensor(R"({"quant_type": "fp4", "blocksize": 64, "dtype": "bfloat16", "shape": [8, 12]})")}},
                from_floats(Dtype::kBF16, {8, 12}, expected));
}

TEST(Bitsandbytes, EightBits) {
  const Array codes = generated_bytes(Dtype::kI8, {3, 5}, 8);
  const std::vector<float> scb = {1.5f, 0.3f, 7.0f};
  std::vector<float> expected;
  for (size_t i = 0; i < 15; ++i) expected.push_back(static_cast<float>(static_cast<int8_t>(codes.bytes[i])) * scb[i / 5] * (1.0f / 127));
  TensorMap tensors{{"a.weight", stored(codes)},
                    {"a.SCB", stored(from_floats(Dtype::kF32, {3}, scb))},
                    {"a.weight_format", stored(array_of<uint8_t>(Dtype::kU8, {}, {0}))}};
  expect_values(kBitsandbytes, tensors, from_floats(Dtype::kF16, {3, 5}, expected));
  tensors["a.weight_format"] = stored(array_of<uint8_t>(Dtype::kU8, {}, {1}));
  EXPECT_THAT(refusal(kBitsandbytes, tensors), IsError(ErrorCode::kUnsupported, HasSubstr("a.weight_format")));
}

}  // namespace
}  // namespace hf2mlx
