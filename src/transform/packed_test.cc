// The operations must give what the codec gives for whole tensors.
#include "transform/test_support.h"

namespace hf2mlx {
namespace {

using testing::Array;
using testing::Bytes;
using testing::expect_error;
using testing::expect_tensor;
using testing::random_floats;
using testing::stored;

struct EncodedArrays {
  Array packed;
  Array scales;
  Array biases;
};

EncodedArrays encoded(const Array& values, const Encoding& e) {
  const uint64_t rows = rows_of(values.shape);
  const uint64_t cols = cols_of(values.shape);
  const Dtype scale = scale_dtype(e, values.dtype);
  Shape packed = values.shape;
  packed.back() = packed_words(e, cols);
  Shape per_group = values.shape;
  per_group.back() = groups(e, cols);
  EncodedArrays out{{Dtype::kU32, packed, Bytes(element_count(packed) * 4)},
                    {scale, per_group, Bytes(element_count(per_group) * size_of(scale))},
                    {scale, per_group, Bytes(element_count(per_group) * size_of(scale))}};
  encode_rows(e, values.dtype, values.bytes.data(), rows, cols,
              {out.packed.bytes.data(), out.scales.bytes.data(), out.biases.bytes.data()});
  return out;
}

const Encoding kAffines[] = {{QuantMode::kAffine, 2, 32},
                             {QuantMode::kAffine, 3, 64},
                             {QuantMode::kAffine, 4, 64},
                             {QuantMode::kAffine, 6, 32},
                             {QuantMode::kAffine, 8, 128}};

TEST(PackedTest, QuantizeInAnyRange) {
  for (const Dtype dtype : {Dtype::kBF16, Dtype::kF32}) {
    const Array values = random_floats(dtype, {3, 5, 256}, 1);
    for (const Encoding& e : kAffines) {
      const EncodedArrays expected = encoded(values, e);
      const ops::Encoded found = ops::quantize(stored(values), e);
      expect_tensor(found.packed, expected.packed, 2048);
      expect_tensor(found.scales, expected.scales, 2048);
      expect_tensor(found.biases, expected.biases, 2048);
    }
  }
}

TEST(PackedTest, QuantizeWithoutBiases) {
  const Array values = random_floats(Dtype::kBF16, {6, 64}, 2);
  for (const Encoding& e : {Encoding{QuantMode::kMxfp4, 4, 32}, Encoding{QuantMode::kMxfp8, 8, 32}, Encoding{QuantMode::kNvfp4, 4, 16}}) {
    const EncodedArrays expected = encoded(values, e);
    const ops::Encoded found = ops::quantize(stored(values), e);
    expect_tensor(found.packed, expected.packed, 2048);
    expect_tensor(found.scales, expected.scales, 2048);
    EXPECT_EQ(found.biases, nullptr);
  }
}

TEST(PackedTest, DequantizeInAnyRange) {
  for (const Encoding& e : kAffines) {
    const Array values = random_floats(Dtype::kF16, {3, 256}, 3);
    const EncodedArrays in = encoded(values, e);
    Array expected = values;
    decode_rows(e, Dtype::kF16, {in.packed.bytes.data(), in.scales.bytes.data(), in.biases.bytes.data()}, 3, 256, expected.bytes.data());
    expect_tensor(ops::dequantize(stored(in.packed), stored(in.scales), stored(in.biases), e, Dtype::kF16), expected, 2048);
  }
}

// Products of bfloat16 scales would be rounded to bfloat16.
TEST(PackedTest, ScalesAndBiasesOfTwoTypesAreDecodedAsFloat32) {
  const Encoding e{QuantMode::kAffine, 4, 64};
  const Array values = random_floats(Dtype::kF32, {3, 256}, 3);
  const EncodedArrays in = encoded(values, e);
  const TensorRef scales = ops::cast(stored(in.scales), Dtype::kBF16);
  const Array wide = testing::read_all(ops::cast(scales, Dtype::kF32));
  Array expected = values;
  decode_rows(e, Dtype::kF32, {in.packed.bytes.data(), wide.bytes.data(), in.biases.bytes.data()}, 3, 256, expected.bytes.data());
  expect_tensor(ops::dequantize_affine(stored(in.packed), scales, stored(in.biases), e), expected, 2048);
}

TEST(PackedTest, DequantizeMicroscaled) {
  const Encoding e{QuantMode::kMxfp4, 4, 32};
  const Array values = random_floats(Dtype::kBF16, {2, 3, 64}, 4);
  const EncodedArrays in = encoded(values, e);
  Array expected = values;
  decode_rows(e, Dtype::kBF16, {in.packed.bytes.data(), in.scales.bytes.data(), nullptr}, 6, 64, expected.bytes.data());
  expect_tensor(ops::dequantize(stored(in.packed), stored(in.scales), nullptr, e, Dtype::kBF16), expected, 2048);
}

TEST(PackedTest, GlobalScalesAreOnePerMatrix) {
  const Encoding e = default_encoding(QuantMode::kNvfp4);
  const Array values = random_floats(Dtype::kF32, {3, 2, 48}, 6);
  const EncodedArrays in = encoded(values, e);
  const std::vector<float> global_scales = {537.6f, 8064.0f, 0.3f};
  Array expected = values;
  for (size_t i = 0; i < 3; ++i) {
    const ConstEncodedRows matrix{in.packed.bytes.data() + i * 48, in.scales.bytes.data() + i * 6, nullptr, global_scales[i]};
    decode_rows(e, Dtype::kF32, matrix, 2, 48, expected.bytes.data() + i * 96 * 4);
  }
  const TensorRef packed = stored(in.packed), scales = stored(in.scales);
  expect_tensor(ops::dequantize_global(packed, scales, ops::constant(global_scales, Dtype::kF32)), expected, 2048);
  expect_error(ErrorCode::kCorrupt, [&] { ops::dequantize_global(packed, scales, ops::constant({1.0f}, Dtype::kF32)); });
}

TEST(PackedTest, DisagreementsAreErrors) {
  const Encoding e{QuantMode::kAffine, 4, 64};
  const Array values = random_floats(Dtype::kF16, {2, 128}, 5);
  const EncodedArrays in = encoded(values, e);
  const TensorRef packed = stored(in.packed), scales = stored(in.scales), biases = stored(in.biases);
  expect_error(ErrorCode::kCorrupt, [&] { ops::dequantize(scales, scales, biases, e, Dtype::kF16); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::dequantize(packed, scales, nullptr, e, Dtype::kF16); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::dequantize(packed, scales, biases, e, Dtype::kBF16); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::dequantize(packed, scales, biases, {QuantMode::kAffine, 4, 32}, Dtype::kF16); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::quantize(stored(random_floats(Dtype::kF16, {2, 96}, 1)), e); });
  expect_error(ErrorCode::kUnsupported, [&] { ops::quantize(packed, e); });
}

}  // namespace
}  // namespace hf2mlx
