// Values that real mlx 0.32.4 computed on the CPU, as digests: see test_support.h for the inputs.
#include <cmath>
#include <limits>

#include "transform/test_support.h"

namespace hf2mlx {
namespace {

using testing::Array;
using testing::array_of;
using testing::digest_of;
using testing::expect_digest;
using testing::expect_error;
using testing::expect_tensor;
using testing::from_floats;
using testing::generated_bytes;
using testing::generated_floats;
using testing::random_floats;
using testing::read_all;
using testing::stored;
using testing::to_floats;

TEST(ScalarTest, ProductIsRoundedOnceAfterTheScalarIs) {
  const std::vector<uint16_t> in = {0xba07, 0xb964, 0xbe22, 0xbdff, 0x3a97, 0x3af3, 0x3fc6, 0x391f};
  const std::vector<uint16_t> out = {0xb953, 0xb8b2, 0xbd7d, 0xbd47, 0x39ec, 0x3a3e, 0x3f1b, 0x3878};
  expect_tensor(ops::multiply_scalar(stored(array_of(Dtype::kBF16, {8}, in)), 0.39), array_of(Dtype::kBF16, {8}, out));
}

TEST(ScalarTest, AsMlxComputes) {
  const TensorRef bf16 = stored(generated_floats(Dtype::kBF16, {3000}, 1));
  expect_digest(ops::multiply_scalar(bf16, 0.39), 0x73ce19c32404b10c);
  expect_digest(ops::add_scalar(bf16, 0.39), 0x20bae201a5cd6bfa);
  expect_digest(ops::add_scalar(bf16, 1), 0x8ae305eee4bca536);
  expect_digest(ops::multiply_scalar(bf16, -8), 0x8dadda1e906089aa);
  expect_digest(ops::multiply_scalar(bf16, 2688), 0x57961082e878d888);
  const TensorRef f16 = stored(generated_floats(Dtype::kF16, {3000}, 1));
  expect_digest(ops::multiply_scalar(f16, 0.39), 0x4d3fb82c80ff4ec6);
  expect_digest(ops::add_scalar(f16, 0.39), 0x363a34695bf7d7a8);
  expect_digest(ops::multiply_scalar(f16, 2688), 0x68fdf13b86a0904d);
  const TensorRef f32 = stored(generated_floats(Dtype::kF32, {3000}, 1));
  expect_digest(ops::multiply_scalar(f32, 0.39), 0xe798bc01011d0af7);
  expect_digest(ops::add_scalar(f32, 0.39), 0x823f5c410ee78498);
  expect_digest(ops::multiply_scalar(f32, 2688), 0xfc143aa2367c678d);
}

TEST(ScalarTest, IntegersAreRefused) {
  const TensorRef t = stored(generated_bytes(Dtype::kU8, {4}, 1));
  expect_error(ErrorCode::kUnsupported, [&] { ops::add_scalar(t, 1); });
  expect_error(ErrorCode::kUnsupported, [&] { ops::multiply_scalar(t, 1); });
}

TEST(MultiplyRowsTest, AsMlxComputes) {
  const TensorRef factors = stored(generated_floats(Dtype::kF32, {40}, 3));
  const TensorRef bf16 = stored(generated_floats(Dtype::kBF16, {40, 75}, 2));
  expect_digest(ops::multiply_rows(bf16, ops::cast(factors, Dtype::kBF16)), 0xc2c52168890c0a31);
  expect_digest(ops::multiply_rows(bf16, factors), 0x5b17c7b6e885e271);
  expect_digest(ops::multiply_rows(stored(generated_floats(Dtype::kF16, {40, 75}, 2)), factors), 0xece388b80dd5bd44);
  expect_digest(ops::multiply_rows(stored(generated_floats(Dtype::kF32, {40, 75}, 2)), factors), 0x31801e81f954eb48);
}

TEST(MultiplyRowsTest, RowsOfMoreAxesAndConstants) {
  const Array a = random_floats(Dtype::kF32, {3, 5, 7}, 1);
  std::vector<float> expected = to_floats(a);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] *= i < 35 ? 2.0f : i < 70 ? -0.5f : 3.0f;
  expect_tensor(ops::multiply_rows(stored(a), ops::constant({2.0f, -0.5f, 3.0f}, Dtype::kBF16)),
                from_floats(Dtype::kF32, {3, 5, 7}, expected));
  expect_error(ErrorCode::kCorrupt, [&] { ops::multiply_rows(stored(a), ops::constant({1, 2}, Dtype::kF32)); });
}

TEST(MultiplyRowsTest, MoreFactorsThanTheScratchHolds) {
  const Array a = random_floats(Dtype::kF32, {3000, 3}, 1);
  const Array factors = random_floats(Dtype::kF32, {3000}, 2);
  std::vector<float> expected = to_floats(a);
  const std::vector<float> by = to_floats(factors);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] *= by[i / 3];
  expect_tensor(ops::multiply_rows(stored(a), stored(factors)), from_floats(Dtype::kF32, {3000, 3}, expected));
}

TEST(ConstantTest, IsRoundedToItsDtype) {
  expect_tensor(ops::constant({1.0f, 0.39f, -3.0078125f}, Dtype::kBF16), array_of<uint16_t>(Dtype::kBF16, {3}, {0x3f80, 0x3ec8, 0xc040}));
}

TEST(CastTest, FloatsConvertAndIntegersStay) {
  const Array a = random_floats(Dtype::kF32, {9, 33}, 1);
  expect_tensor(ops::cast(stored(a), Dtype::kBF16), from_floats(Dtype::kBF16, {9, 33}, to_floats(a)));
  const Array half = random_floats(Dtype::kF16, {9, 33}, 2);
  expect_tensor(ops::cast(stored(half), Dtype::kF32), from_floats(Dtype::kF32, {9, 33}, to_floats(half)));
  const TensorRef integers = stored(generated_bytes(Dtype::kU8, {4}, 1));
  EXPECT_EQ(ops::cast(integers, Dtype::kF16), integers);
  const TensorRef same = stored(half);
  EXPECT_EQ(ops::cast(same, Dtype::kF16), same);
}

TEST(CastTest, EightBitFloatsDecode) {
  expect_tensor(ops::cast(stored(array_of<uint8_t>(Dtype::kF8E4M3, {4}, {0x38, 0xc1, 0x01, 0x7e})), Dtype::kF32),
                from_floats(Dtype::kF32, {4}, {1.0f, -2.25f, 0.001953125f, 448.0f}));
  expect_tensor(ops::cast(stored(array_of<uint8_t>(Dtype::kF8E8M0, {3}, {127, 120, 130})), Dtype::kBF16),
                from_floats(Dtype::kBF16, {3}, {1.0f, 0.0078125f, 8.0f}));
  expect_tensor(ops::cast(stored(array_of<double>(Dtype::kF64, {2}, {0.1, -3.0})), Dtype::kF32),
                from_floats(Dtype::kF32, {2}, {0.1f, -3.0f}));
}

TEST(NormGainTest, AsMlxComputes) {
  expect_digest(ops::norm_gain(stored(generated_floats(Dtype::kBF16, {5000}, 4))), 0x0bbc7cc5b68aeda4);
  expect_digest(ops::norm_gain(stored(generated_floats(Dtype::kF16, {5000}, 4))), 0xe3d75acec94f6336);
  expect_digest(ops::norm_gain(stored(generated_floats(Dtype::kF32, {5000}, 4))), 0x356f14926616cbbf);
}

TEST(ResidualGateTest, AsMlxComputes) {
  const TensorRef bf16 = stored(generated_floats(Dtype::kBF16, {5000}, 4));
  expect_digest(ops::residual_gate_alpha(bf16), 0x27a75ee58a3a21ac);
  expect_digest(ops::residual_gate_beta(bf16), 0xa813b23e8580327c);
  const TensorRef f16 = stored(generated_floats(Dtype::kF16, {5000}, 4));
  expect_digest(ops::residual_gate_alpha(f16), 0x1bd3503cbc01a845);
  expect_digest(ops::residual_gate_beta(f16), 0xec5f6f2aff8efb1f);
  const TensorRef f32 = stored(generated_floats(Dtype::kF32, {5000}, 4));
  expect_digest(ops::residual_gate_alpha(f32), 0x0f6bd5ce0774d9c0);
  expect_digest(ops::residual_gate_beta(f32), 0x47c9d3282d77a961);
}

TEST(ExponentTest, AsMlxComputes) {
  Array scales = generated_floats(Dtype::kF32, {3, 7}, 5);
  for (size_t i = 3; i < scales.bytes.size(); i += 4) scales.bytes[i] &= std::byte{0x7f};
  expect_digest(ops::e8m0_from_float(stored(scales)), 0xac86831e4b99212e);
  expect_digest(ops::slice(ops::repeat(ops::e8m0_from_float(stored(scales)), -2, 32), -2, 0, 90), 0xdc53f1d162043367);
}

TEST(ExponentTest, OddScales) {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> scales = {0, 1, 0x1p-127f, 0x1p-149f, inf, nan, 3, 0x1p-130f, 0.9999999f, 0x1p127f, -1, 1.9999999f};
  expect_tensor(ops::e8m0_from_float(stored(from_floats(Dtype::kF32, {12}, scales))),
                array_of<uint8_t>(Dtype::kU8, {12}, {0, 127, 0, 234, 0, 0, 128, 253, 127, 254, 0, 128}));
}

}  // namespace
}  // namespace hf2mlx
