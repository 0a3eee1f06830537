// Codes of other packings, and values of groups, against the definition written out.
#include "transform/test_support.h"

namespace hf2mlx {
namespace {

using testing::array_of;
using testing::expect_error;
using testing::expect_tensor;
using testing::from_floats;
using testing::generated_bytes;
using testing::generated_floats;
using testing::stored;
using testing::to_floats;

// Code i of a stream of bits.
uint8_t code_of(const testing::Bytes& bytes, size_t i, uint32_t bits) {
  uint8_t code = 0;
  for (size_t b = 0; b < bits; ++b) {
    const size_t at = i * bits + b;
    code |= static_cast<uint8_t>((std::to_integer<uint32_t>(bytes[at / 8]) >> at % 8 & 1) << b);
  }
  return code;
}

TEST(CodesTest, InOrder) {
  for (const uint32_t bits : {2u, 3u, 4u, 6u, 8u}) {
    for (const Dtype dtype : {Dtype::kU8, Dtype::kI32}) {
      const testing::Array packed = generated_bytes(Dtype::kU8, {5, 96}, bits);
      const uint64_t cols = 96 * 8 / bits;
      std::vector<uint8_t> codes;
      for (size_t i = 0; i < 5 * cols; ++i) codes.push_back(code_of(packed.bytes, i, bits));
      const testing::Array typed{dtype, {5, 96 / size_of(dtype)}, packed.bytes};
      expect_tensor(ops::unpack_codes(stored(typed), bits, CodeOrder::kInOrder), array_of(Dtype::kU8, {5, cols}, codes));
    }
  }
}

TEST(CodesTest, OtherOrders) {
  const TensorRef word = stored(array_of<uint32_t>(Dtype::kU32, {1, 1}, {0x76543210}));
  expect_tensor(ops::unpack_codes(word, 4, CodeOrder::kAwq), array_of<uint8_t>(Dtype::kU8, {1, 8}, {0, 4, 1, 5, 2, 6, 3, 7}));
  expect_tensor(ops::unpack_codes(word, 8, CodeOrder::kAwq), array_of<uint8_t>(Dtype::kU8, {1, 4}, {0x10, 0x54, 0x32, 0x76}));
  const TensorRef bytes = stored(array_of<uint8_t>(Dtype::kU8, {3}, {0x12, 0x34, 0x56}));
  expect_tensor(ops::unpack_codes(bytes, 4, CodeOrder::kHighFirst), array_of<uint8_t>(Dtype::kU8, {6}, {1, 2, 3, 4, 5, 6}));
  expect_error(ErrorCode::kUnsupported, [&] { ops::unpack_codes(word, 7, CodeOrder::kInOrder); });
  expect_error(ErrorCode::kUnsupported, [&] { ops::unpack_codes(word, 3, CodeOrder::kAwq); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::unpack_codes(word, 3, CodeOrder::kInOrder); });
}

TEST(CodesTest, ShiftsAndBiases) {
  const TensorRef codes = stored(array_of<uint8_t>(Dtype::kU8, {2, 2}, {0, 7, 14, 15}));
  expect_tensor(ops::shift_codes(codes, 1, 4), array_of<uint8_t>(Dtype::kU8, {2, 2}, {1, 8, 15, 0}));
  const TensorRef scales = stored(from_floats(Dtype::kF16, {2, 2}, {1, 0.5f, 0.25f, 3}));
  expect_tensor(ops::zero_biases(codes, scales), from_floats(Dtype::kF16, {2, 2}, {-0.0f, -3.5f, -3.5f, -45}));
  expect_error(ErrorCode::kCorrupt, [&] { ops::zero_biases(codes, ops::reshape(scales, {4})); });
}

TEST(CodesTest, FieldsOfBytesArePackedAnew) {
  const testing::Array bytes = generated_bytes(Dtype::kU8, {6, 64}, 9);
  std::vector<uint8_t> codes;
  std::vector<uint32_t> words(6 * 4);
  for (size_t i = 0; i < 6 * 64; ++i) {
    codes.push_back(std::to_integer<uint8_t>(bytes.bytes[i]) >> 4 & 3);
    words[i / 16] |= static_cast<uint32_t>(codes[i]) << 2 * (i % 16);
  }
  const TensorRef field = ops::bit_field(stored(bytes), 4, 2);
  expect_tensor(field, array_of(Dtype::kU8, {6, 64}, codes));
  expect_tensor(ops::pack_codes(field, 2), array_of(Dtype::kU32, {6, 4}, words));
  expect_error(ErrorCode::kCorrupt, [&] { ops::pack_codes(ops::reshape(field, {48, 8}), 2); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::pack_codes(field, 3); });
}

struct Case {
  uint64_t cols, groups, group_size;
  bool zeros, out_of_order, table;
};

TEST(GroupedValuesTest, TableMinusZeroTimesScale) {
  for (const Case& c : {Case{100, 4, 32, true, false, true}, Case{64, 4, 16, false, false, true}, Case{3000, 2, 1500, false, false, false},
                        Case{90, 7, 13, true, true, true}, Case{90, 7, 13, false, true, false}}) {
    const testing::Array codes = generated_bytes(Dtype::kU8, {6, c.cols}, 1);
    const testing::Array zeros = generated_bytes(Dtype::kU8, {6, c.groups}, 2);
    const testing::Array table = generated_floats(Dtype::kF32, {256}, 3);
    const testing::Array scales = generated_floats(Dtype::kBF16, {6, c.groups}, 4);
    const std::vector<float> numbers = to_floats(table), factors = to_floats(scales);
    std::vector<int32_t> group_of(c.cols);
    for (size_t i = 0; i < c.cols; ++i) group_of[i] = static_cast<int32_t>(c.out_of_order ? i * 5 % c.groups : i / c.group_size);
    std::vector<float> expected;
    for (size_t i = 0; i < 6 * c.cols; ++i) {
      const size_t group = i / c.cols * c.groups + static_cast<size_t>(group_of[i % c.cols]);
      const float zero = c.zeros ? std::to_integer<int>(zeros.bytes[group]) : 5;
      const auto code = std::to_integer<uint8_t>(codes.bytes[i]);
      expected.push_back(((c.table ? numbers[code] : code) - zero) * factors[group]);
    }
    const ops::GroupedCodes parts{stored(codes),
                                  c.table ? stored(table) : nullptr,
                                  stored(scales),
                                  c.zeros ? stored(zeros) : nullptr,
                                  c.group_size,
                                  c.out_of_order ? stored(array_of(Dtype::kI32, {c.cols}, group_of)) : nullptr,
                                  5};
    expect_tensor(ops::grouped_values(parts, Dtype::kF16), from_floats(Dtype::kF16, {6, c.cols}, expected), 4096);
  }
}

TEST(GroupedValuesTest, ShapesAndGroupsMustFit) {
  const TensorRef codes = stored(generated_bytes(Dtype::kU8, {2, 8}, 1));
  const TensorRef table = stored(generated_floats(Dtype::kF32, {256}, 3));
  const TensorRef scales = stored(generated_floats(Dtype::kF32, {2, 2}, 4));
  expect_error(ErrorCode::kCorrupt, [&] { ops::grouped_values({codes, table, scales, nullptr, 8, nullptr}, Dtype::kF16); });
  const TensorRef groups = stored(array_of<int32_t>(Dtype::kI32, {8}, {0, 1, 0, 1, 0, 1, 0, 2}));
  const TensorRef values = ops::grouped_values({codes, table, scales, nullptr, 4, groups}, Dtype::kF16);
  expect_error(ErrorCode::kCorrupt, [&] { testing::read_all(values); });
}

TEST(ScaledByTest, MultipliesOrDivides) {
  const testing::Array values = generated_floats(Dtype::kBF16, {300}, 4);
  std::vector<float> products, quotients;
  for (const float value : to_floats(values)) {
    products.push_back(value * 0.7f);
    quotients.push_back(value / 0.7f);
  }
  const TensorRef factor = stored(from_floats(Dtype::kF32, {1}, {0.7f}));
  expect_tensor(ops::scaled_by(stored(values), factor, ops::Factor::kMultiply), from_floats(Dtype::kF32, {300}, products));
  expect_tensor(ops::scaled_by(stored(values), factor, ops::Factor::kDivide), from_floats(Dtype::kF32, {300}, quotients));
  expect_error(ErrorCode::kCorrupt, [&] { ops::scaled_by(factor, stored(values), ops::Factor::kMultiply); });
}

}  // namespace
}  // namespace hf2mlx
