#include "quant/lattice.h"

#include <gtest/gtest.h>

#include "quant/fit.h"
#include "quant/test_support.h"

namespace hf2mlx::testing {
namespace {

constexpr uint64_t kRows = 3;
constexpr uint64_t kCols = 480;

Encoded encode(Dtype dtype, const Bytes& values, uint64_t rows, uint64_t cols) {
  Encoded out = room_for(kLatticeEncoding, dtype, rows, cols);
  encode_rows_fitted(kLatticeEncoding, dtype, values.data(), rows, cols, {Fit::kLattice},
                     {out.packed.data(), out.scales.data(), out.biases.data()});
  return out;
}

TEST(Lattice, EveryInstructionSetIsLikeTheReference) {
  for (const Dtype dtype : kFloats) {
    for (const std::string& name : Inputs::names()) {
      const Bytes values = Inputs(dtype, 32, 5).make(name, kRows * kCols);
      Encoded expected = room_for(kLatticeEncoding, dtype, kRows, kCols);
      reference::encode_lattice(dtype, values.data(), kRows, kCols,
                                {expected.packed.data(), expected.scales.data(), expected.biases.data()});
      for_each_target([&] { EXPECT_EQ(encode(dtype, values, kRows, kCols), expected) << name << ' ' << name_of(dtype); });
    }
  }
}

float float_at(const Bytes& bytes, uint64_t index) {
  float x;
  std::memcpy(&x, &bytes[index * 4], 4);
  return x;
}

Bytes floats(const std::vector<float>& values) {
  Bytes bytes(values.size() * 4);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// What the codes stand for, in float32 throughout.
std::vector<float> decoded(const std::vector<float>& values) {
  const Encoded encoded = encode(Dtype::kF32, floats(values), 1, values.size());
  const Bytes bytes = decode_with(reference::decode_rows, kLatticeEncoding, Dtype::kF32, encoded, 1, values.size());
  std::vector<float> out;
  for (uint64_t i = 0; i < values.size(); ++i) out.push_back(float_at(bytes, i));
  return out;
}

TEST(Lattice, WhatLiesOnItStays) {
  std::vector<float> values;
  for (int group = 0; group < 8; ++group) {
    const float d = (group % 2 == 0 ? 1.0f : -1.0f) * std::ldexp(static_cast<float>(1024 + 37 * group), -14 - group);  // 11 digits, as F16
    for (int i = 0; i < 32; ++i) values.push_back(d * static_cast<float>((i * 7 + group) % 16 - 8));
  }
  EXPECT_EQ(decoded(values), values);
}

TEST(Lattice, TheFirstOfTwoFarthestValuesHasItsSign) {
  std::vector<float> values(64, 0.0f);
  values[3] = -8;
  values[4] = 8;
  values[32 + 3] = 8;
  values[32 + 4] = -8;
  const std::vector<float> out = decoded(values);
  EXPECT_EQ(out[3], -8);
  EXPECT_EQ(out[4], 7);  // the lattice ends there
  EXPECT_EQ(out[32 + 3], 8);
  EXPECT_EQ(out[32 + 4], -7);
}

TEST(Lattice, ScalesAreRoundedAsLlamaCppStoresThem) {
  std::vector<float> values(32, 0.0f);
  values[0] = -8 * 1.0003f;  // between two numbers of F16
  const Encoded encoded = encode(Dtype::kF32, floats(values), 1, 32);
  EXPECT_EQ(float_at(encoded.scales, 0), 1.0f);
  EXPECT_EQ(float_at(encoded.biases, 0), -8.0f);
  values[0] = -8e30f;  // beyond F16
  EXPECT_EQ(float_at(encode(Dtype::kF32, floats(values), 1, 32).biases, 0), -8e30f);
}

TEST(Lattice, ZerosStay) { EXPECT_EQ(decoded(std::vector<float>(32, 0.0f)), std::vector<float>(32, 0.0f)); }

}  // namespace
}  // namespace hf2mlx::testing
