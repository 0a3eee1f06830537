// Holds the reference and the vector code against what the real mlx made; see tests/oracle/quant_vectors.py for the file's form.
#include <fstream>
#include <sstream>

#include "quant/convert.h"
#include "quant/test_support.h"

namespace hf2mlx::testing {
namespace {

constexpr uint64_t kRows = 7;
constexpr uint64_t kCols = 256;
constexpr uint64_t kCount = kRows * kCols;

struct Case {
  std::string kind;
  std::istringstream words;
  std::string text;

  std::string word() {
    std::string word;
    EXPECT_TRUE(words >> word) << text;
    return word;
  }
  uint64_t number() { return std::stoull(word()); }
  uint64_t digest() { return std::stoull(word(), nullptr, 16); }
  Dtype dtype() { return dtype_from_name(word()).value(); }
  Encoding encoding() {
    const QuantMode mode = quant_mode_from_name(word()).value();
    const auto bits = static_cast<uint32_t>(number());
    return {mode, bits, static_cast<uint32_t>(number())};
  }
};

std::vector<Case> cases_of(const std::string& kind) {
  std::ifstream file(HF2MLX_SOURCE_DIR "/tests/oracle/quant_vectors.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == kind) cases.push_back({first, std::move(words), line});
  }
  return cases;
}

Bytes without_nan_kinds(Dtype dtype, Bytes values) {
  const uint64_t canonical = dtype == Dtype::kF32 ? 0x7FC00000u : dtype == Dtype::kF16 ? 0x7E00u : 0x7FC0u;
  for (uint64_t i = 0; i < values.size() / size_of(dtype); ++i) {
    if ((get_bits(dtype, values, i) & (sign_bit(dtype) - 1)) > infinity_bits(dtype)) put_bits(dtype, canonical, values, i);
  }
  return values;
}

// An implementation under test.
struct Functions {
  EncodeFunction* encode;
  DecodeFunction* decode;
  void (*convert)(Dtype, const std::byte*, Dtype, std::byte*, uint64_t);
  void (*fp8)(Dtype, const std::byte*, Dtype, std::byte*, uint64_t);
};
constexpr Functions kReference = {reference::encode_rows, reference::decode_rows, reference::convert_elements, reference::decode_fp8};
constexpr Functions kVector = {encode_rows, decode_rows, convert_elements, decode_fp8};

void check_encode(Case c, const Functions& f) {
  const Encoding e = c.encoding();
  const Dtype dtype = c.dtype();
  const std::string name = c.word();
  const Bytes values = Inputs(dtype, e.group_size, c.number()).make(name, kCount);
  const Encoded out = encode_with(f.encode, e, dtype, values, kRows, kCols);
  EXPECT_EQ(digest(out.packed), c.digest()) << "packed: " << c.text;
  EXPECT_EQ(digest(out.scales), c.digest()) << "scales: " << c.text;
  EXPECT_EQ(digest(out.biases), c.digest()) << "biases: " << c.text;
  EXPECT_EQ(digest(without_nan_kinds(dtype, decode_with(f.decode, e, dtype, out, kRows, kCols))), c.digest()) << "decoded: " << c.text;
}

Encoded arbitrary(const Encoding& e, Dtype dtype, uint64_t seed) {
  Encoded in = room_for(e, dtype, kRows, kCols);
  const Dtype scales = scale_dtype(e, dtype);
  for (uint64_t i = 0; i < in.packed.size() / 4; ++i) put_bits(Dtype::kU32, random_at(seed, i), in.packed, i);
  for (uint64_t i = 0; i < in.scales.size() / size_of(scales); ++i) put_bits(scales, random_at(seed + 1000, i), in.scales, i);
  for (uint64_t i = 0; i < in.biases.size() / size_of(scales); ++i) put_bits(scales, random_at(seed + 2000, i), in.biases, i);
  return in;
}

void check_decode(Case c, const Functions& f) {
  const Encoding e = c.encoding();
  const Dtype dtype = c.dtype();
  const Bytes values = decode_with(f.decode, e, dtype, arbitrary(e, dtype, c.number()), kRows, kCols);
  EXPECT_EQ(digest(without_nan_kinds(dtype, values)), c.digest()) << c.text;
}

void check_global(Case c, const Functions& f) {
  const Encoding e = default_encoding(QuantMode::kNvfp4);
  const Dtype dtype = c.dtype();
  const uint64_t seed = c.number();
  const float scale = static_cast<float>(1234.5 / static_cast<double>(seed));
  const Bytes values = decode_with(f.decode, e, Dtype::kF32, arbitrary(e, dtype, seed), kRows, kCols, scale);
  EXPECT_EQ(digest(without_nan_kinds(Dtype::kF32, values)), c.digest()) << c.text;
}

Bytes convert_inputs(Dtype dtype) {
  constexpr uint64_t kLower[12] = {0, 1, 0x0FFF, 0x1000, 0x1001, 0x2FFF, 0x3000, 0x3001, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
  Bytes values((1 << 16) * size_of(dtype));
  for (uint64_t i = 0; i < (1 << 16); ++i) {
    const uint64_t random = random_at(9, i);
    const uint64_t bits = dtype == Dtype::kF64 ? (i << 48) | (random >> 16) : dtype == Dtype::kF32 ? (i << 16) | kLower[random % 12] : i;
    put_bits(dtype, bits, values, i);
  }
  return values;
}

void check_convert(Case c, const Functions& f) {
  const Dtype from = c.dtype();
  const Dtype to = c.dtype();
  const Bytes in = convert_inputs(from);
  Bytes out((1 << 16) * size_of(to));
  f.convert(from, in.data(), to, out.data(), 1 << 16);
  EXPECT_EQ(digest(out), c.digest()) << c.text;
}

void check_fp8(Case c, const Functions& f) {
  const Dtype to = c.dtype();
  Bytes in(256);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::byte>(i);
  Bytes out(256 * size_of(to));
  f.fp8(Dtype::kF8E4M3, in.data(), to, out.data(), in.size());
  EXPECT_EQ(digest(out), c.digest()) << c.text;
}

void check_all(const std::string& kind, size_t expected_count, void (*check)(Case, const Functions&)) {
  EXPECT_EQ(cases_of(kind).size(), expected_count) << "tests/oracle/quant_vectors.txt is not what this test was written for";
  {
    SCOPED_TRACE("reference");
    for (Case& c : cases_of(kind)) check(std::move(c), kReference);
  }
  for_each_target([&] {
    for (Case& c : cases_of(kind)) check(std::move(c), kVector);
  });
}

TEST(OracleVectors, Encode) { check_all("encode", 24 * 3 * 8 * 2, check_encode); }
TEST(OracleVectors, Decode) { check_all("decode", 24 * 3, check_decode); }
TEST(OracleVectors, DecodeWithGlobalScale) { check_all("global", 3 * 2, check_global); }
TEST(OracleVectors, Convert) { check_all("convert", 9, check_convert); }
TEST(OracleVectors, Fp8) { check_all("fp8", 3, check_fp8); }

}  // namespace
}  // namespace hf2mlx::testing
