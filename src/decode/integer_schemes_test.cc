// Schemes of integer codes against a plain decode written here from the definition of each format.
#include <cmath>
#include <functional>

#include "decode/test_support.h"

namespace hf2mlx {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace hf2mlx::testing;

// A matrix of small numbers.
using Matrix = std::vector<std::vector<uint32_t>>;

Matrix random_codes(size_t rows, size_t cols, uint32_t bits, uint64_t seed) {
  const std::vector<uint32_t> words = generated_words(rows * cols, seed);
  Matrix m(rows, std::vector<uint32_t>(cols));
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cols; ++c) m[r][c] = words[r * cols + c] & ((1u << bits) - 1);
  }
  return m;
}

Matrix transposed(const Matrix& m) {
  Matrix t(m[0].size(), std::vector<uint32_t>(m.size()));
  for (size_t r = 0; r < m.size(); ++r) {
    for (size_t c = 0; c < m[0].size(); ++c) t[c][r] = m[r][c];
  }
  return t;
}

// 32 / bits codes to a word, from the lowest bits on, or with the places of `order`.
std::vector<uint32_t> packed_rows(const Matrix& m, uint32_t bits, const std::vector<uint32_t>& order = {}) {
  const size_t per_word = 32 / bits;
  std::vector<uint32_t> words;
  for (const auto& row : m) {
    for (size_t c = 0; c < row.size(); c += per_word) {
      uint32_t word = 0;
      for (size_t i = 0; i < per_word && c + i < row.size(); ++i) word |= row[c + i] << bits * (order.empty() ? i : order[i]);
      words.push_back(word);
    }
  }
  return words;
}

// GPTQ's three bits: 32 codes in three words, codes 10 and 21 lie across two.
std::vector<uint32_t> packed_three_bits(const Matrix& m) {
  std::vector<uint32_t> words;
  for (const auto& row : m) {
    for (size_t c = 0; c < row.size(); c += 32) {
      uint32_t word[3] = {};
      for (size_t i = 0; i < 10; ++i) word[0] |= row[c + i] << 3 * i;
      word[0] |= row[c + 10] << 30;
      word[1] |= row[c + 10] >> 2 & 1;
      for (size_t i = 0; i < 10; ++i) word[1] |= row[c + 11 + i] << (3 * i + 1);
      word[1] |= row[c + 21] << 31;
      word[2] |= row[c + 21] >> 1 & 3;
      for (size_t i = 0; i < 10; ++i) word[2] |= row[c + 22 + i] << (3 * i + 2);
      words.insert(words.end(), word, word + 3);
    }
  }
  return words;
}

// Bit by bit, with nothing between codes; the last word of a row is filled with zeros.
std::vector<uint32_t> packed_densely(const Matrix& m, uint32_t bits) {
  std::vector<uint32_t> words;
  for (const auto& row : m) {
    const size_t first = words.size();
    words.resize(first + (row.size() * bits + 31) / 32);
    for (size_t i = 0; i < row.size() * bits; ++i) words[first + i / 32] |= (row[i / bits] >> i % bits & 1) << i % 32;
  }
  return words;
}

std::vector<uint32_t> packed(const Matrix& m, uint32_t bits) {
  if (32 % bits == 0) return packed_rows(m, bits);
  return bits == 3 && m[0].size() % 32 == 0 ? packed_three_bits(m) : packed_densely(m, bits);
}

TensorRef words_tensor(Dtype dtype, size_t rows, const std::vector<uint32_t>& words) {
  return stored(array_of(dtype, {rows, words.size() / rows}, words));
}

// The transpose of a packed matrix: GPTQ packs along its first axis.
TensorRef words_by_column(const Matrix& m, uint32_t bits) {
  const std::vector<uint32_t> rows = packed(m, bits);
  const size_t width = rows.size() / m.size();
  std::vector<uint32_t> out(rows.size());
  for (size_t r = 0; r < m.size(); ++r) {
    for (size_t w = 0; w < width; ++w) out[w * m.size() + r] = rows[r * width + w];
  }
  return stored(array_of(Dtype::kI32, {width, m.size()}, out));
}

using GroupOf = std::function<size_t(size_t)>;

// What the tests expect of integer codes: (code - zero) * scale, of [out][in] codes and [out][group] of the rest.
struct Integers {
  Matrix codes, zeros, scale_exponents;
  GroupOf group_of;

  float scale(size_t row, size_t group) const { return std::ldexp(1.0f, -static_cast<int>(scale_exponents[row][group])); }

  Array values(Dtype dtype) const {
    std::vector<float> out;
    for (size_t r = 0; r < codes.size(); ++r) {
      for (size_t c = 0; c < codes[0].size(); ++c) {
        const size_t g = group_of(c);
        out.push_back((static_cast<float>(codes[r][c]) - static_cast<float>(zeros[r][g])) * scale(r, g));
      }
    }
    return from_floats(dtype, {codes.size(), codes[0].size()}, out);
  }

  std::vector<float> scales() const {
    std::vector<float> out;
    for (size_t r = 0; r < codes.size(); ++r) {
      for (size_t g = 0; g < scale_exponents[0].size(); ++g) out.push_back(scale(r, g));
    }
    return out;
  }

  TensorRef scales_by_group(Dtype dtype) const { return ops::swapaxes(scales_by_row(dtype), 0, 1); }
  TensorRef scales_by_row(Dtype dtype) const { return stored(from_floats(dtype, {codes.size(), scale_exponents[0].size()}, scales())); }
};

// Scales are powers of two, so that packed and decoded forms hold the same values exactly.
Integers random_integers(size_t rows, size_t cols, uint32_t bits, size_t group_size, bool symmetric) {
  const size_t groups = (cols + group_size - 1) / group_size;
  Integers n{random_codes(rows, cols, bits, 1), random_codes(rows, groups, bits, 2), random_codes(rows, groups, 3, 3),
             [group_size](size_t c) { return c / group_size; }};
  if (symmetric) n.zeros.assign(rows, std::vector<uint32_t>(groups, 1u << (bits - 1)));
  return n;
}

// The packed layer holds the values, and so does the decoded one.
void expect_both(const Json& settings, const TensorMap& source, const Integers& expected, Dtype dtype, const Encoding& encoding) {
  TensorMap tensors = source;
  Json config = {{"quantization_config", settings}};
  const DecodedSource kept = decode(config, tensors);
  ASSERT_EQ(kept.packed.size(), 1u);
  const PackedLayer& layer = kept.packed[0];
  EXPECT_EQ(layer.name, "a");
  EXPECT_TRUE(layer.encoding == encoding);
  EXPECT_THAT(names_of(tensors), ::testing::ElementsAre("a.biases", "a.scales", "a.weight"));
  EXPECT_EQ(config["quantization"]["bits"], encoding.bits);
  EXPECT_EQ(config["quantization"]["group_size"], encoding.group_size);
  EXPECT_EQ(config["quantization_config"], config["quantization"]);
  expect_tensor(ops::dequantize(layer.weight, layer.scales, layer.biases, layer.encoding, dtype), expected.values(dtype), 4096);
  if (layer.values) expect_tensor(layer.values, expected.values(dtype), 4096);

  tensors = source;
  config = {{"quantization_config", settings}};
  EXPECT_TRUE(decode(config, tensors, Packing::kDecode).packed.empty());
  EXPECT_THAT(names_of(tensors), ::testing::ElementsAre("a.weight"));
  EXPECT_EQ(config, Json::object());
  expect_tensor(tensors["a.weight"], expected.values(dtype), 4096);
}

// --- GPTQ

Json gptq(uint32_t bits, int group_size, const char* format = "gptq") {
  return {{"quant_method", "gptq"},      {"bits", bits}, {"group_size", group_size},
          {"checkpoint_format", format}, {"sym", false}, {"desc_act", true}};
}

// Zero points are stored one too low in the first version, modulo the range.
Matrix stored_zeros(const Integers& n, uint32_t bits, uint32_t lowered) {
  Matrix zeros = transposed(n.zeros);
  for (auto& row : zeros) {
    for (uint32_t& zero : row) zero = (zero - lowered) & ((1u << bits) - 1);
  }
  return zeros;
}

TensorMap gptq_tensors(const Integers& n, uint32_t bits, uint32_t lowered) {
  return {{"a.qweight", words_by_column(n.codes, bits)},
          {"a.qzeros", words_tensor(Dtype::kI32, n.zeros[0].size(), packed(stored_zeros(n, bits, lowered), bits))},
          {"a.scales", n.scales_by_group(Dtype::kF16)}};
}

TensorRef indices(const std::vector<int32_t>& groups) { return stored(array_of(Dtype::kI32, {groups.size()}, groups)); }

TEST(Gptq, EveryWidthInBothVersions) {
  for (const uint32_t bits : {2u, 3u, 4u, 8u}) {
    SCOPED_TRACE(bits);
    const Integers n = random_integers(64, 128, bits, 64, false);
    expect_both(gptq(bits, 64), gptq_tensors(n, bits, 1), n, Dtype::kF16, {QuantMode::kAffine, bits, 64});
    expect_both(gptq(bits, 64, "gptq_v2"), gptq_tensors(n, bits, 0), n, Dtype::kF16, {QuantMode::kAffine, bits, 64});
  }
}

TEST(Gptq, GroupsThatMlxDoesNotHaveAreSplit) {
  const Integers wide = random_integers(32, 512, 4, 256, true);
  expect_both(gptq(4, 256), gptq_tensors(wide, 4, 1), wide, Dtype::kF16, {QuantMode::kAffine, 4, 128});
  const Integers whole = random_integers(32, 192, 4, 192, true);
  expect_both(gptq(4, -1), gptq_tensors(whole, 4, 1), whole, Dtype::kF16, {QuantMode::kAffine, 4, 64});
}

TEST(Gptq, ColumnsInOrderStayPacked) {
  const Integers n = random_integers(32, 64, 4, 32, true);
  TensorMap tensors = gptq_tensors(n, 4, 1);
  std::vector<int32_t> groups(64);
  for (size_t c = 0; c < 64; ++c) groups[c] = static_cast<int32_t>(c / 32);
  tensors["a.g_idx"] = indices(groups);
  expect_both(gptq(4, 32), tensors, n, Dtype::kF16, {QuantMode::kAffine, 4, 32});
}

TEST(Gptq, ColumnsOutOfOrderAreDecoded) {
  Integers n = random_integers(32, 128, 4, 32, false);
  n.group_of = [](size_t c) { return c * 7 % 128 / 32; };
  TensorMap tensors = gptq_tensors(n, 4, 1);
  std::vector<int32_t> groups(128);
  for (size_t c = 0; c < 128; ++c) groups[c] = static_cast<int32_t>(n.group_of(c));
  tensors["a.g_idx"] = indices(groups);
  expect_values(gptq(4, 32), tensors, n.values(Dtype::kF16));
  groups[5] = 4;
  tensors["a.g_idx"] = indices(groups);
  EXPECT_THAT(refusal(gptq(4, 32), tensors), IsError(ErrorCode::kCorrupt, HasSubstr("a.g_idx: group 4 found, there are 4")));
}

TEST(Gptq, DecodedValuesAreRoundedOnce) {
  Integers n = random_integers(16, 64, 8, 16, false);  // MLX has no groups of 16
  const Array scales = testing::generated_floats(Dtype::kF16, {16, 4}, 9);
  const std::vector<float> s = to_floats(scales);
  TensorMap tensors = gptq_tensors(n, 8, 1);
  tensors["a.scales"] = ops::swapaxes(stored(scales), 0, 1);
  std::vector<float> expected;
  for (size_t r = 0; r < 16; ++r) {
    for (size_t c = 0; c < 64; ++c)
      expected.push_back((static_cast<float>(n.codes[r][c]) - static_cast<float>(n.zeros[r][c / 16])) * s[r * 4 + c / 16]);
  }
  expect_values(gptq(8, 16), tensors, from_floats(Dtype::kF16, {16, 64}, expected));
}

TEST(Gptq, DisagreementsNameBothSides) {
  const TensorMap tensors = gptq_tensors(random_integers(32, 64, 4, 32, true), 4, 1);
  EXPECT_THAT(refusal(gptq(8, 32), tensors), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("8 bits"), HasSubstr("a.qzeros"))));
  EXPECT_THAT(refusal(gptq(4, 64), tensors), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("group_size 64"), HasSubstr("a.scales"))));
  EXPECT_THAT(refusal(gptq(4, 32, "marlin"), tensors), IsError(ErrorCode::kUnsupported, HasSubstr("marlin")));
  Json awq = gptq(4, 32, "gemm");
  awq["quant_method"] = "awq";
  EXPECT_THAT(refusal(awq, tensors), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("'awq'"), HasSubstr("a.qweight"))));
  TensorMap incomplete = tensors;
  incomplete.erase("a.scales");
  EXPECT_THAT(refusal(gptq(4, 32), incomplete), IsError(ErrorCode::kCorrupt, HasSubstr("a.scales is missing")));
}

// --- AWQ

TensorMap awq_tensors(const Integers& n, uint32_t bits) {
  const std::vector<uint32_t> places = bits == 4 ? std::vector<uint32_t>{0, 4, 1, 5, 2, 6, 3, 7} : std::vector<uint32_t>{0, 2, 1, 3};
  return {{"a.qweight", words_tensor(Dtype::kI32, n.codes[0].size(), packed_rows(transposed(n.codes), bits, places))},
          {"a.qzeros", words_tensor(Dtype::kI32, n.zeros[0].size(), packed_rows(transposed(n.zeros), bits, places))},
          {"a.scales", n.scales_by_group(Dtype::kF16)}};
}

Json awq(uint32_t bits, int group_size) {
  return {{"quant_method", "awq"}, {"bits", bits}, {"group_size", group_size}, {"version", "gemm"}, {"modules_to_not_convert", nullptr}};
}

TEST(Awq, FourAndEightBitsWithAndWithoutZeros) {
  for (const uint32_t bits : {4u, 8u}) {
    SCOPED_TRACE(bits);
    const Integers n = random_integers(32, 128, bits, 64, false);
    expect_both(awq(bits, 64), awq_tensors(n, bits), n, Dtype::kF16, {QuantMode::kAffine, bits, 64});
    const Integers symmetric = random_integers(32, 128, bits, 64, true);
    TensorMap tensors = awq_tensors(symmetric, bits);
    tensors.erase("a.qzeros");
    expect_both(awq(bits, 64), tensors, symmetric, Dtype::kF16, {QuantMode::kAffine, bits, 64});
  }
}

TEST(Awq, FloatsTakeTheDtypeOfTheScales) {
  TensorMap tensors = awq_tensors(random_integers(32, 64, 4, 64, false), 4);
  Json config = {{"quantization_config", awq(4, 64)}};
  EXPECT_EQ(decode(config, tensors).float_dtype, Dtype::kF16);
  EXPECT_EQ(config["quantization"], (Json{{"group_size", 64}, {"bits", 4}}));
}

// As AutoAWQ writes them into quant_config.json.
TEST(Awq, ItsOwnNamesForBitsAndGroups) {
  for (const uint32_t bits : {4u, 8u}) {
    const Integers n = random_integers(32, 128, bits, 64, false);
    const Json own = {{"quant_method", "awq"}, {"zero_point", true}, {"q_group_size", 64}, {"w_bit", bits}, {"version", "GEMM"}};
    expect_both(own, awq_tensors(n, bits), n, Dtype::kF16, {QuantMode::kAffine, bits, 64});
  }
}

TEST(Awq, OtherLayoutsAreRefused) {
  const TensorMap tensors = awq_tensors(random_integers(32, 64, 4, 64, false), 4);
  Json gemv = awq(4, 64);
  gemv["version"] = "gemv";
  EXPECT_THAT(refusal(gemv, tensors), IsError(ErrorCode::kUnsupported, HasSubstr("gemv")));
  EXPECT_THAT(refusal(awq(8, 64), tensors), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("8 bits"), HasSubstr("a.qzeros"))));
}

// --- compressed-tensors

Json integer_weights(uint32_t bits, Json group_size, bool symmetric) {
  return {{"num_bits", bits}, {"group_size", group_size}, {"symmetric", symmetric}, {"type", "int"}};
}

TensorMap compressed_tensors(const Integers& n, uint32_t bits) {
  return {{"a.weight_packed", words_tensor(Dtype::kI32, n.codes.size(), packed(n.codes, bits))},
          {"a.weight_scale", n.scales_by_row(Dtype::kBF16)},
          {"a.weight_shape", stored(array_of<int64_t>(Dtype::kI64, {2}, {0, 0}))}};
}

// Packed along the outputs, the range's half added.
TensorRef packed_zero_points(const Integers& n, uint32_t bits) {
  return ops::swapaxes(words_tensor(Dtype::kI32, n.zeros[0].size(), packed(transposed(n.zeros), bits)), 0, 1);
}

TEST(CompressedTensors, IntegersOfAnyGroupAndSymmetry) {
  for (const uint32_t bits : {2u, 3u, 4u, 5u, 6u, 8u}) {
    SCOPED_TRACE(bits);
    const Integers n = random_integers(36, 256, bits, 64, true);
    expect_both(compressed("pack-quantized", integer_weights(bits, 64, true)), compressed_tensors(n, bits), n, Dtype::kBF16,
                {QuantMode::kAffine, bits, 64});
    const Integers rows = random_integers(36, 256, bits, 256, true);
    expect_both(compressed("pack-quantized", integer_weights(bits, nullptr, true)), compressed_tensors(rows, bits), rows, Dtype::kBF16,
                {QuantMode::kAffine, bits, 128});
    const Integers shifted = random_integers(36, 256, bits, 128, false);
    TensorMap tensors = compressed_tensors(shifted, bits);
    EXPECT_THAT(refusal(compressed("pack-quantized", integer_weights(bits, 128, false)), tensors),
                IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("not symmetric"), HasSubstr("a.weight_zero_point"))));
    tensors["a.weight_zero_point"] = packed_zero_points(shifted, bits);
    expect_both(compressed("pack-quantized", integer_weights(bits, 128, false)), tensors, shifted, Dtype::kBF16,
                {QuantMode::kAffine, bits, 128});
  }
}

TEST(CompressedTensors, ZeroPointsAsSignedBytes) {
  const Integers n = random_integers(36, 64, 4, 32, false);
  std::vector<int8_t> zeros;
  for (const auto& row : n.zeros) {
    for (const uint32_t zero : row) zeros.push_back(static_cast<int8_t>(static_cast<int>(zero) - 8));
  }
  TensorMap tensors = compressed_tensors(n, 4);
  tensors["a.weight_zero_point"] = stored(array_of(Dtype::kI8, {36, 2}, zeros));
  expect_both(compressed("pack-quantized", integer_weights(4, 32, false)), tensors, n, Dtype::kBF16, {QuantMode::kAffine, 4, 32});
}

TEST(CompressedTensors, ColumnsOutOfOrder) {
  Integers n = random_integers(8, 64, 4, 32, true);
  n.group_of = [](size_t c) { return c % 2; };
  TensorMap tensors = compressed_tensors(n, 4);
  std::vector<int32_t> groups(64);
  for (size_t c = 0; c < 64; ++c) groups[c] = static_cast<int32_t>(c % 2);
  tensors["a.weight_g_idx"] = indices(groups);
  expect_values(compressed("pack-quantized", integer_weights(4, 32, true)), tensors, n.values(Dtype::kBF16));
}

TEST(CompressedTensors, GroupsOfTheConfigAreFoundByTheirTargets) {
  Json settings = compressed("pack-quantized", integer_weights(4, 32, true));
  settings["config_groups"]["group_1"] = {{"targets", {"re:.*down_proj$"}}, {"weights", integer_weights(8, 64, true)}};
  TensorMap tensors = compressed_tensors(random_integers(8, 64, 4, 32, true), 4);
  for (const auto& [name, tensor] : compressed_tensors(random_integers(8, 64, 8, 64, true), 8))
    tensors["m.down_proj" + name.substr(1)] = tensor;
  Json config = {{"quantization_config", settings}};
  const DecodedSource decoded = decode(config, tensors);
  ASSERT_EQ(decoded.packed.size(), 2u);
  EXPECT_TRUE((decoded.packed[0].encoding == Encoding{QuantMode::kAffine, 4, 32}));
  EXPECT_TRUE((decoded.packed[1].encoding == Encoding{QuantMode::kAffine, 8, 64}));
}

TEST(CompressedTensors, DisagreementsNameBothSides) {
  const TensorMap tensors = compressed_tensors(random_integers(8, 64, 4, 32, true), 4);
  EXPECT_THAT(refusal(compressed("float-quantized", integer_weights(4, 32, true)), tensors),
              IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("float-quantized"), HasSubstr("a.weight_packed"))));
  EXPECT_THAT(refusal(compressed("pack-quantized", integer_weights(8, 32, true)), tensors),
              IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("num_bits 8"), HasSubstr("a.weight_scale"))));
  EXPECT_THAT(refusal(compressed("marlin-24", integer_weights(4, 32, true)), tensors),
              IsError(ErrorCode::kUnsupported, HasSubstr("marlin-24")));
  Json ignoring = compressed("pack-quantized", integer_weights(4, 32, true));
  ignoring["ignore"] = {"lm_head", "a"};
  EXPECT_THAT(refusal(ignoring, tensors), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("ignore"), HasSubstr("names a as not quantized"))));
}

TEST(DecodeSource, ListsOfWhatIsNotQuantizedAreRead) {
  struct Case {
    const char* key;
    const char* text;
    const char* layer;
    bool contradicts;
  };
  const Case cases[] = {
      {"ignore", "re:.*down_proj$", "m.1.down_proj", true},       {"ignore", "re:m[.]1[.].*", "m.1.down_proj", true},
      {"ignore", "re:down_proj", "m.1.down_proj", false},         {"ignore", "m.1", "m.1.down_proj", false},
      {"exclude_modules", "m.1*", "m.1.down_proj", true},         {"exclude_modules", "m.2*", "m.1.down_proj", false},
      {"modules_to_not_convert", "m", "m.1.down_proj", true},     {"modules_to_not_convert", "m.1.down", "m.1.down_proj", false},
      {"ignored_layers", "m.1.down_proj", "m.1.down_proj", true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.key) + " " + c.text);
    Json settings = compressed("pack-quantized", integer_weights(4, 32, true));
    settings[c.key] = {"lm_head", c.text};
    TensorMap tensors;
    for (const std::string& layer : {std::string("m.0.down_proj"), std::string(c.layer)}) {
      for (const auto& [name, tensor] : compressed_tensors(random_integers(8, 64, 4, 32, true), 4))
        if (layer == c.layer || !c.contradicts) tensors[layer + name.substr(1)] = tensor;
    }
    Json config = {{"quantization_config", settings}};
    if (c.contradicts)
      EXPECT_THAT(refusal(settings, tensors), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr(c.key), HasSubstr(c.layer), HasSubstr(c.text))));
    else
      EXPECT_EQ(decode(config, tensors).packed.size(), 2u);
  }
}

TEST(CompressedTensors, SignedBytesWithAScaleForEachRow) {
  const Array codes = generated_bytes(Dtype::kI8, {4, 6}, 3);
  std::vector<float> expected;
  for (size_t i = 0; i < 24; ++i)
    expected.push_back(static_cast<float>(static_cast<int8_t>(codes.bytes[i])) * std::ldexp(1.0f, -static_cast<int>(i / 6)));
  const TensorMap tensors{{"a.weight", stored(codes)},
                          {"a.weight_scale", stored(from_floats(Dtype::kBF16, {4, 1}, {1.0f, 0.5f, 0.25f, 0.125f}))}};
  expect_values(compressed("int-quantized", integer_weights(8, nullptr, true)), tensors, from_floats(Dtype::kBF16, {4, 6}, expected));
}

TEST(CompressedTensors, SignedBytesWithAScaleForEachGroupOrForTheWhole) {
  const Array codes = generated_bytes(Dtype::kI8, {2, 4}, 3);
  const auto scaled = [&](const std::vector<float>& scales, size_t codes_to_a_scale) {
    std::vector<float> values;
    for (size_t i = 0; i < 8; ++i) values.push_back(static_cast<float>(static_cast<int8_t>(codes.bytes[i])) * scales[i / codes_to_a_scale]);
    return from_floats(Dtype::kBF16, {2, 4}, values);
  };
  TensorMap tensors{{"a.weight", stored(codes)}, {"a.weight_scale", stored(from_floats(Dtype::kBF16, {2, 2}, {1.0f, 0.5f, 0.25f, 2.0f}))}};
  expect_values(compressed("int-quantized", integer_weights(8, 2, true)), tensors, scaled({1.0f, 0.5f, 0.25f, 2.0f}, 2));
  tensors["a.weight_scale"] = stored(from_floats(Dtype::kBF16, {1}, {0.5f}));
  expect_values(compressed("int-quantized", integer_weights(8, nullptr, true)), tensors, scaled({0.5f}, 8));
}

TEST(CompressedTensors, SignedBytesWithZeroPoints) {
  const Array codes = generated_bytes(Dtype::kI8, {2, 4}, 3);
  const std::vector<int8_t> points = {-128, 127, 5, -7};
  const std::vector<float> scales = {1.0f, 0.5f, 0.25f, 2.0f};
  const auto shifted = [&](size_t codes_to_a_group) {
    std::vector<float> values;
    for (size_t i = 0; i < 8; ++i) {
      const size_t group = i / codes_to_a_group;
      values.push_back(static_cast<float>(static_cast<int8_t>(codes.bytes[i]) - points[group]) * scales[group]);
    }
    return from_floats(Dtype::kF32, {2, 4}, values);
  };
  TensorMap tensors{{"a.weight", stored(codes)},
                    {"a.weight_scale", stored(from_floats(Dtype::kF32, {2, 2}, scales))},
                    {"a.weight_zero_point", stored(array_of(Dtype::kI8, {2, 2}, points))}};
  const Json settings = compressed("int-quantized", integer_weights(8, 2, false));
  expect_values(settings, tensors, shifted(2));
  tensors["a.weight_zero_point"] = stored(array_of<int8_t>(Dtype::kI8, {2, 1}, {1, 2}));
  EXPECT_THAT(refusal(settings, tensors), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("a.weight_zero_point"), HasSubstr("scales"))));
  tensors["a.weight_scale"] = stored(from_floats(Dtype::kF32, {1}, {1.0f}));
  tensors["a.weight_zero_point"] = stored(array_of<int8_t>(Dtype::kI8, {1}, {-128}));
  expect_values(settings, tensors, shifted(8));
}

// Ten codes to a word with two bits over, as versions before 0.20 packed them.
TEST(CompressedTensors, ThreeBitsWithGapsAreRefused) {
  const Integers n = random_integers(8, 64, 3, 32, true);
  TensorMap tensors = compressed_tensors(n, 3);
  tensors["a.weight_packed"] = words_tensor(Dtype::kI32, 8, packed_rows(n.codes, 3));
  EXPECT_THAT(refusal(compressed("pack-quantized", integer_weights(3, 32, true)), tensors),
              IsError(ErrorCode::kUnsupported, AllOf(HasSubstr("a.weight_packed: I32 [8, 7]"), HasSubstr("3 bits without a gap"))));
  for (const uint32_t bits : {1u, 7u, 9u}) {
    EXPECT_THAT(refusal(compressed("pack-quantized", integer_weights(bits, 32, true)), tensors),
                IsError(ErrorCode::kUnsupported, HasSubstr("2 to 6 or 8 expected")));
  }
}

// --- What config.json does not say

TEST(DecodeSource, QuantizedTensorsWithoutAWordInTheConfigAreAnError) {
  TensorMap tensors = gptq_tensors(random_integers(32, 64, 4, 32, true), 4, 1);
  Json config = Json::object();
  EXPECT_THAT(error_of([&] { decode(config, tensors); }),
              IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("no quantization_config"), HasSubstr("a.qweight"))));
}

TEST(DecodeSource, FloatsAndEncodingsOfMlxAreLeftAlone) {
  const TensorMap source{{"a.weight", stored(from_floats(Dtype::kF32, {1}, {1}))}};
  for (const Json& config :
       {Json::object(), Json{{"quantization", {{"bits", 4}}}}, Json{{"quantization_config", {{"quant_method", "mxfp4"}}}}}) {
    TensorMap tensors = source;
    Json same = config;
    EXPECT_TRUE(decode(same, tensors).packed.empty());
    EXPECT_EQ(same, config);
    EXPECT_EQ(tensors, source);
  }
}

}  // namespace
}  // namespace hf2mlx
