// Values that real mlx 0.32.4 computed on the CPU, as digests: see test_support.h for the inputs.
#include "transform/test_support.h"

namespace hf2mlx {
namespace {

using testing::Array;
using testing::array_of;
using testing::expect_digest;
using testing::expect_error;
using testing::expect_tensor;
using testing::from_floats;
using testing::generated_bytes;
using testing::generated_floats;
using testing::stored;

constexpr Dtype kFloats[] = {Dtype::kBF16, Dtype::kF16, Dtype::kF32};

// No NaN among the codes.
TensorRef codes(Shape shape) {
  Array a = generated_bytes(Dtype::kF8E4M3, std::move(shape), 8);
  for (std::byte& code : a.bytes) {
    if ((code & std::byte{127}) == std::byte{127}) code = std::byte{0x42};
  }
  return stored(a);
}

TEST(Fp8Test, BlocksWithPartialEdges) {
  constexpr uint64_t kDigests[] = {0x037110756be2a9e5, 0x938e336f7125cf75, 0xccc195e216934859};
  for (size_t i = 0; i < 3; ++i) {
    const TensorRef scales = stored(generated_floats(kFloats[i], {2, 3}, 9));
    expect_digest(ops::fp8_dequant(codes({150, 300}), scales, 128, 128, Dtype::kBF16), kDigests[i], 256);
  }
}

TEST(Fp8Test, OneScaleForTheTensor) {
  constexpr uint64_t kDigests[] = {0x6d9ecc73b0b78ec1, 0xed24fff93f2664fa, 0xed24fff93f2664fa};
  for (size_t i = 0; i < 3; ++i) {
    const TensorRef scale = ops::reshape(stored(generated_floats(kFloats[i], {1}, 10)), {});
    expect_digest(ops::fp8_dequant(codes({150, 300}), scale, 150, 300, Dtype::kBF16), kDigests[i], 256);
  }
}

TEST(Fp8Test, OneScaleForARow) {
  constexpr uint64_t kDigests[] = {0x389c7476e6e6f934, 0x9cf4332892f67ad5, 0xeaff1cf2d66ca358};
  for (size_t i = 0; i < 3; ++i) {
    const TensorRef scales = stored(generated_floats(kFloats[i], {150, 1}, 11));
    expect_digest(ops::fp8_dequant(ops::view(codes({150, 300}), Dtype::kU8), scales, 1, 300, Dtype::kBF16), kDigests[i], 256);
  }
}

TEST(Fp8Test, OneScaleForAnExpert) {
  constexpr uint64_t kDigests[] = {0x3034cde423ca6a1a, 0xc9666f5de7c93695, 0xe70a43989a71bf83};
  for (size_t i = 0; i < 3; ++i) {
    const TensorRef scales = stored(generated_floats(kFloats[i], {3, 1, 1}, 12));
    expect_digest(ops::fp8_dequant(codes({3, 50, 300}), scales, 50, 300, Dtype::kBF16), kDigests[i], 256);
  }
}

TEST(Fp8Test, GridsOfExpertsDoNotRunTogether) {
  const Array code_array = generated_bytes(Dtype::kF8E4M3, {3, 5, 7}, 1);
  const Array scale_array = generated_bytes(Dtype::kF8E8M0, {3, 3, 2}, 2);
  Array scales = scale_array;
  for (std::byte& scale : scales.bytes) scale = (scale & std::byte{7}) | std::byte{120};
  std::vector<float> expected(105);
  std::vector<float> decoded(105);
  std::vector<float> factors(18);
  decode_fp8(Dtype::kF8E4M3, code_array.bytes.data(), Dtype::kF32, reinterpret_cast<std::byte*>(decoded.data()), 105);
  decode_fp8(Dtype::kF8E8M0, scales.bytes.data(), Dtype::kF32, reinterpret_cast<std::byte*>(factors.data()), 18);
  for (size_t i = 0; i < 105; ++i) expected[i] = decoded[i] * factors[i / 35 * 6 + i / 7 % 5 / 2 * 2 + i % 7 / 4];
  expect_tensor(ops::fp8_dequant(stored(code_array), stored(scales), 2, 4, Dtype::kF32), from_floats(Dtype::kF32, {3, 5, 7}, expected),
                512);
}

TEST(Fp8Test, RowsThatDoNotFitTheScratch) {
  const Array code_array = array_of<uint8_t>(Dtype::kF8E4M3, {2, 4000}, std::vector<uint8_t>(8000, 0x38));
  const Array scales = testing::random_floats(Dtype::kBF16, {2, 40}, 1);
  std::vector<float> expected(8000);
  for (size_t i = 0; i < 8000; ++i) expected[i] = testing::to_floats(scales)[i / 4000 * 40 + i % 4000 / 100];
  expect_tensor(ops::fp8_dequant(stored(code_array), stored(scales), 1, 100, Dtype::kBF16), from_floats(Dtype::kBF16, {2, 4000}, expected),
                512);
}

TEST(Fp8Test, ScalesMustFitTheGrid) {
  const TensorRef c = codes({150, 300});
  expect_error(ErrorCode::kCorrupt, [&] { ops::fp8_dequant(c, stored(generated_floats(Dtype::kF32, {2, 2}, 1)), 128, 128, Dtype::kBF16); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::fp8_dequant(c, stored(generated_floats(Dtype::kF32, {2, 3}, 1)), 128, 0, Dtype::kBF16); });
  expect_error(ErrorCode::kUnsupported, [&] { ops::fp8_dequant(c, c, 1, 1, Dtype::kBF16); });
}

}  // namespace
}  // namespace hf2mlx
