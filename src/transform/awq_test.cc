// Values that real mlx_lm 0.32.2 makes of the same AutoAWQ tensors, as digests: see test_support.h for the inputs.
#include "transform/test_support.h"

namespace hf2mlx {
namespace {

using testing::array_of;
using testing::expect_digest;
using testing::expect_error;
using testing::expect_tensor;
using testing::generated_floats;
using testing::generated_words;
using testing::stored;

TensorRef words(Shape shape, uint64_t seed) { return stored(array_of(Dtype::kI32, shape, generated_words(element_count(shape), seed))); }

TEST(AwqTest, NibblesOfOneColumn) {
  // Input i holds (place + i) mod 16 in every place.
  std::vector<uint32_t> in(8);
  for (uint32_t i = 0; i < 8; ++i) {
    for (uint32_t place = 0; place < 8; ++place) in[i] |= (place + i) % 16 << 4 * place;
  }
  const std::vector<uint32_t> out = {0x76543210, 0xba987654, 0x87654321, 0xcba98765, 0x98765432, 0xdcba9876, 0xa9876543, 0xedcba987};
  expect_tensor(ops::awq_repack(stored(array_of(Dtype::kI32, {8, 1}, in))), array_of(Dtype::kU32, {8, 1}, out));
}

TEST(AwqTest, WeightsAsMlxPacksThem) {
  const TensorRef packed = ops::awq_repack(words({64, 6}, 13));
  EXPECT_EQ(packed->shape(), (Shape{48, 8}));
  expect_digest(packed, 0x9f2e9ae43a202630, 512);
}

TEST(AwqTest, LargeWeightsInSmallTiles) {
  const TensorRef qweight = words({4096, 24}, 1);
  testing::Array expected = testing::read_all(ops::awq_repack(qweight));
  expect_tensor(ops::awq_repack(qweight), expected, 512);
}

TEST(AwqTest, BiasesFromZeroPoints) {
  const TensorRef zeros = words({2, 6}, 14);
  const TensorRef f16 = stored(generated_floats(Dtype::kF16, {2, 48}, 15));
  expect_digest(ops::awq_biases(zeros, f16), 0x5c1ca3cc457ea762);
  expect_digest(ops::awq_biases(nullptr, f16), 0x42d46065f38e7068);
  expect_digest(ops::swapaxes(f16, 0, 1), 0x288c357c993b22b8);
  const TensorRef bf16 = ops::cast(f16, Dtype::kBF16);
  expect_digest(ops::awq_biases(zeros, bf16), 0x027047de254f7cfe);
}

TEST(AwqTest, MoreZeroPointsThanATile) {
  constexpr uint64_t kGroups = 64, kOutputs = 16384;
  std::vector<uint32_t> zeros(kGroups * kOutputs / 8);
  std::vector<float> expected(kGroups * kOutputs);
  for (uint64_t i = 0; i < expected.size(); ++i) {
    const uint64_t group = i % kGroups, output = i / kGroups;
    expected[i] = -0.5f * static_cast<float>((group * 5 + output / 8) % 16);
    zeros[(group * kOutputs + output) / 8] = 0x11111111u * static_cast<uint32_t>((group * 5 + output / 8) % 16);
  }
  const TensorRef scales = ops::broadcast(ops::constant({0.5f}, Dtype::kF16), {kGroups, kOutputs});
  const TensorRef biases = ops::awq_biases(stored(array_of(Dtype::kI32, {kGroups, kOutputs / 8}, zeros)), scales);
  Scratch scratch(8 << 20);
  testing::expect_range(*biases, testing::from_floats(Dtype::kF16, {kOutputs, kGroups}, expected), 0, kGroups * kOutputs, scratch);
}

TEST(AwqTest, ShapesMustAgree) {
  expect_error(ErrorCode::kCorrupt, [] { ops::awq_repack(words({60, 6}, 1)); });
  expect_error(ErrorCode::kCorrupt, [] { ops::awq_repack(words({64}, 1)); });
  expect_error(ErrorCode::kCorrupt, [] { ops::awq_biases(words({2, 5}, 1), stored(generated_floats(Dtype::kF16, {2, 48}, 1))); });
}

}  // namespace
}  // namespace hf2mlx
