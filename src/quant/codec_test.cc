// The codecs: exact bytes for hand-made groups, and the vector code of every instruction set against the scalar reference.
#include "quant/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "quant/test_support.h"

namespace hf2mlx::testing {
namespace {

TEST(Encodings, HaveTheNamesAndDefaultsOfMlx) {
  EXPECT_EQ(name_of(QuantMode::kAffine), "affine");
  EXPECT_EQ(name_of(QuantMode::kNvfp4), "nvfp4");
  for (const char* name : {"affine", "mxfp4", "mxfp8", "nvfp4"}) EXPECT_EQ(name_of(quant_mode_from_name(name).value()), name);
  EXPECT_FALSE(quant_mode_from_name("mxfp6").has_value());
  EXPECT_EQ(default_encoding(QuantMode::kAffine), (Encoding{QuantMode::kAffine, 4, 64}));
  EXPECT_EQ(default_encoding(QuantMode::kMxfp4), (Encoding{QuantMode::kMxfp4, 4, 32}));
  EXPECT_EQ(default_encoding(QuantMode::kMxfp8), (Encoding{QuantMode::kMxfp8, 8, 32}));
  EXPECT_EQ(default_encoding(QuantMode::kNvfp4), (Encoding{QuantMode::kNvfp4, 4, 16}));
}

TEST(Encodings, WhatMlxHasNotIsExplained) {
  for (const Encoding& e : all_encodings()) EXPECT_EQ(why_unsupported(e), "");
  EXPECT_EQ(why_unsupported({QuantMode::kAffine, 7, 64}), "affine: found bits 7, expected 1, 2, 3, 4, 5, 6, 8");
  EXPECT_EQ(why_unsupported({QuantMode::kAffine, 4, 16}), "affine: found group size 16, expected 32, 64, 128");
  EXPECT_EQ(why_unsupported({QuantMode::kMxfp4, 8, 32}), "mxfp4: found bits 8, expected 4");
  EXPECT_EQ(why_unsupported({QuantMode::kNvfp4, 4, 32}), "nvfp4: found group size 32, expected 16");
}

TEST(Encodings, Sizes) {
  EXPECT_EQ(packed_words({QuantMode::kAffine, 3, 32}, 96), 9u);
  EXPECT_EQ(groups({QuantMode::kAffine, 3, 32}, 96), 3u);
  EXPECT_EQ(packed_words(default_encoding(QuantMode::kNvfp4), 16), 2u);
  EXPECT_EQ(scale_dtype({QuantMode::kAffine, 3, 32}, Dtype::kF16), Dtype::kF16);
  EXPECT_EQ(scale_dtype(default_encoding(QuantMode::kMxfp8), Dtype::kF32), Dtype::kU8);
}

Bytes floats(const std::vector<float>& values) {
  Bytes bytes(4 * values.size());
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

Bytes hex(const std::string& digits) {
  Bytes bytes;
  for (size_t i = 0; i < digits.size(); i += 2) bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

Bytes one_group(Dtype dtype, const std::vector<double>& values, size_t size) {
  Bytes bytes(size * size_of(dtype));
  for (size_t i = 0; i < values.size(); ++i) put_value(dtype, values[i], bytes, i);
  return bytes;
}

Encoded encode_one_group(const Encoding& e, Dtype dtype, const std::vector<double>& values) {
  return encode_with(encode_rows, e, dtype, one_group(dtype, values, e.group_size), 1, e.group_size);
}

TEST(Affine, PacksEveryWidthAsOneStreamOfBits) {
  const std::pair<uint32_t, const char*> expected[] = {
      {1, "00000080"},
      {2, "5b55555555555515"},
      {3, "773925499224499224499204"},
      {4, "efcdab89674523111111111111111101"},
      {5, "df77be75c6d7563a6584cf35b65442c714324400"},
      {6, "bfdff3bb9ee3b75dd3b31cc3afdbb2ab9aa2a75992a31802"},
      {8, "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e100"},
  };
  for_each_target([&] {
    for (const auto& [bits, digits] : expected) {
      // 0, 1, 2 … and the top last: the top is the edge, so codes count down from there, except with a single bit.
      const int top = (1 << bits) - 1;
      std::vector<double> values(32, top);
      for (int i = 0; i < 31; ++i) values[i] = std::min(i, top - 1);
      const Encoded out = encode_one_group({QuantMode::kAffine, bits, 32}, Dtype::kF32, values);
      EXPECT_EQ(out.packed, hex(digits)) << bits << " bits";
      EXPECT_EQ(out.scales, floats({bits == 1 ? 1.0f : -1.0f})) << bits << " bits";
      EXPECT_EQ(out.biases, floats({bits == 1 ? 0.0f : static_cast<float>(top)})) << bits << " bits";
    }
  });
}

TEST(Affine, TiesGoToTheEvenCode) {
  for_each_target([] {
    // Codes 0, 0.5, 1.5, 2.5, 3.5, 14.5 and then 15s.
    const Encoded out = encode_one_group({QuantMode::kAffine, 4, 32}, Dtype::kF32, {15, 14.5, 13.5, 12.5, 11.5, 0.5});
    EXPECT_EQ(out.scales, floats({-1.0f}));
    EXPECT_EQ(out.packed, hex("0022e4ffffffffffffffffffffffffff"));
  });
}

TEST(Affine, ConstantGroupsHaveTheSmallestScale) {
  for_each_target([] {
    const Encoding e = {QuantMode::kAffine, 4, 64};
    const Encoded zeros = encode_one_group(e, Dtype::kBF16, {});
    EXPECT_EQ(zeros.packed, Bytes(32));
    EXPECT_EQ(zeros.scales, hex("d7b3"));  // -1e-7
    EXPECT_EQ(zeros.biases, hex("0000"));
    const Encoded twos = encode_one_group(e, Dtype::kBF16, std::vector<double>(64, -2.0));
    EXPECT_EQ(twos.packed, Bytes(32));
    EXPECT_EQ(twos.scales, hex("d7b3"));
    EXPECT_EQ(twos.biases, hex("00c0"));
  });
}

TEST(Affine, NanAndInfinityAreAsInMlx) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const Encoding e = {QuantMode::kAffine, 8, 32};
  struct Expected {
    std::vector<double> values;
    const char* scale;
    const char* bias;
  };
  const std::vector<Expected> expected = {
      {{kInf, 1}, "0000c0ff", "0000807f"},
      {{-kInf, kInf}, "0000c0ff", "0000807f"},
      {{-kInf, 1}, "0000c0ff", "000080ff"},
      {std::vector<double>(32, kInf), "0000c07f", "0000807f"},
      {std::vector<double>(32, kNan), "0000c0ff", "000080ff"},
  };
  for_each_target([&] {
    for (const Expected& x : expected) {
      const Encoded out = encode_one_group(e, Dtype::kF32, x.values);
      EXPECT_EQ(out.packed, Bytes(32));
      EXPECT_EQ(out.scales, hex(x.scale));
      EXPECT_EQ(out.biases, hex(x.bias));
    }
    // NaN among numbers does not count, and its code is 0 like that of the edge.
    const Encoded out = encode_one_group(e, Dtype::kF32, {255, kNan, 254, -kNan});
    EXPECT_EQ(Bytes(out.packed.begin(), out.packed.begin() + 5), hex("00000100ff"));
    EXPECT_EQ(out.scales, floats({-1.0f}));
  });
}

TEST(Affine, ASingleBitKeepsTheSignOfTheFirstZero) {
  for_each_target([] {
    const Encoding e = {QuantMode::kAffine, 1, 32};
    EXPECT_EQ(encode_one_group(e, Dtype::kBF16, {1, -0.0, 0.0}).biases, hex("0080"));
    EXPECT_EQ(encode_one_group(e, Dtype::kBF16, {1, 0.0, -0.0}).biases, hex("0000"));
  });
}

TEST(Microscaling, Fp4TiesGoTowardsZeroAndNothingBecomesNegativeZero) {
  for_each_target([] {
    for (const Dtype dtype : kFloats) {
      const Encoded out = encode_one_group(default_encoding(QuantMode::kMxfp4), dtype, {6, 3, -1.5, 0.25, 0.75, -0.25, 5, 2.5, -3.5, 1.75});
      EXPECT_EQ(out.scales, hex("7f"));
      EXPECT_EQ(out.packed, hex("570b0146"
                                "3d000000"
                                "0000000000000000"))
          << name_of(dtype);
    }
  });
}

TEST(Microscaling, Fp8RoundsToEvenAndKeepsTheSignOfZero) {
  for_each_target([] {
    const Encoded out = encode_one_group(default_encoding(QuantMode::kMxfp8), Dtype::kF32,
                                         {448, 1, -1, -0.0, 0x1p-10, 0x1.8p-9, 0x1.8001p-10, 17, 19, -0x1.88p-7});
    EXPECT_EQ(out.scales, hex("7f"));
    EXPECT_EQ(Bytes(out.packed.begin(), out.packed.begin() + 10), hex("7e38b88000020158"
                                                                      "5a"
                                                                      "86"));
  });
}

TEST(Microscaling, ScalesAreTheNextPowerOfTwo) {
  const Encoding e = default_encoding(QuantMode::kMxfp4);
  for_each_target([&] {
    EXPECT_EQ(encode_one_group(e, Dtype::kF32, {6.000001}).scales, hex("80"));
    EXPECT_EQ(encode_one_group(e, Dtype::kF32, {12}).scales, hex("80"));
    EXPECT_EQ(encode_one_group(e, Dtype::kF32, {}).scales, hex("7f"));
    EXPECT_EQ(encode_one_group(e, Dtype::kF32, {0x1.8p-137}).scales, hex("f4"));  // 2^-139 / 2^-127 wraps around
    EXPECT_EQ(encode_one_group(e, Dtype::kF32, {std::numeric_limits<double>::infinity()}).scales, hex("80"));
    EXPECT_EQ(encode_one_group(e, Dtype::kBF16, {std::numeric_limits<double>::quiet_NaN()}).scales, hex("00"));
  });
}

TEST(Microscaling, Nvfp4SaturatesItsScaleButNotItsValues) {
  const Encoding e = default_encoding(QuantMode::kNvfp4);
  for_each_target([&] {
    const Encoded large = encode_one_group(e, Dtype::kF32, {0x1p30, -0x1p30, 448});
    EXPECT_EQ(large.scales, hex("7e"));
    EXPECT_EQ(large.packed, hex("f702000000000000"));
    const Encoded huge = encode_one_group(e, Dtype::kF32, {3e38, 448 * 3});
    EXPECT_EQ(huge.scales, hex("7e"));
    EXPECT_EQ(huge.packed, hex("5000000000000000"));  // all codes are equally far from 3e38, so it takes the first
    const Encoded tiny = encode_one_group(e, Dtype::kF32, {6 * 0x1p-10, -6 * 0x1p-10});
    EXPECT_EQ(tiny.scales, hex("00"));
    EXPECT_EQ(tiny.packed, Bytes(8));
  });
}

TEST(Decode, RoundsAfterTheProductAndAfterTheSum) {
  for_each_target([] {
    const Encoding e = {QuantMode::kAffine, 8, 32};
    Encoded in = room_for(e, Dtype::kBF16, 1, 32);
    for (int i = 0; i < 32; ++i) in.packed[i] = static_cast<std::byte>(i * 8 + 7);
    put_value(Dtype::kBF16, 1.0078125, in.scales, 0);
    put_value(Dtype::kBF16, -0.5, in.biases, 0);
    const Bytes out = decode_with(decode_rows, e, Dtype::kBF16, in, 1, 32);
    EXPECT_EQ(get_bits(Dtype::kBF16, out, 0), 0x40D2u);   // 7 * 1.0078125 = 7.0546875, rounded to 7.0625
    EXPECT_EQ(get_bits(Dtype::kBF16, out, 31), 0x4380u);  // 256.99 becomes 256; 255.5 is a tie
  });
}

constexpr uint64_t kRows = 5;
constexpr uint64_t kCols = 640;  // more than one block, and not a whole number of them

// Runs `f(encoding, dtype, kind of input, values)` for everything there is.
template <class F>
void for_all_inputs(F&& f) {
  for (const Encoding& e : all_encodings()) {
    for (const Dtype dtype : kFloats) {
      for (const std::string& name : Inputs::names()) {
        SCOPED_TRACE(describe(e, dtype) + ", " + name);
        f(e, dtype, Inputs(dtype, e.group_size, 3).make(name, kRows * kCols));
      }
    }
  }
}

TEST(Targets, EncodeAndDecodeAsTheReference) {
  for_all_inputs([](const Encoding& e, Dtype dtype, const Bytes& values) {
    const Encoded expected = encode_with(reference::encode_rows, e, dtype, values, kRows, kCols);
    const Bytes decoded = decode_with(reference::decode_rows, e, dtype, expected, kRows, kCols);
    for_each_target([&] {
      ASSERT_EQ(encode_with(encode_rows, e, dtype, values, kRows, kCols), expected);
      ASSERT_EQ(decode_with(decode_rows, e, dtype, expected, kRows, kCols), decoded);
    });
  });
}

TEST(Targets, EncodeEvery16BitValue) {
  for (const Encoding& e : all_encodings()) {
    for (const Dtype dtype : {Dtype::kF16, Dtype::kBF16}) {
      SCOPED_TRACE(describe(e, dtype));
      Bytes values(2 << 16);
      for (uint64_t i = 0; i < (1 << 16); ++i) put_bits(dtype, i, values, i);
      for (uint64_t i = 0; i < (1 << 16); i += 2 * e.group_size) put_value(dtype, 6.0, values, i);  // every other group has a common scale
      const Encoded expected = encode_with(reference::encode_rows, e, dtype, values, 64, 1024);
      for_each_target([&] { ASSERT_EQ(encode_with(encode_rows, e, dtype, values, 64, 1024), expected); });
    }
  }
}

// A buffer at an odd address with sentinels on both sides.
class Guarded {
 public:
  explicit Guarded(const Bytes& content) : bytes_(content.size() + 2 * kGuard + 1, kSentinel), size_(content.size()) {
    offset_ = kGuard + (reinterpret_cast<uintptr_t>(bytes_.data()) + kGuard + 1) % 2;
    std::copy(content.begin(), content.end(), data());
  }
  std::byte* data() { return bytes_.data() + offset_; }
  Bytes content() { return Bytes(data(), data() + size_); }
  bool is_intact() {
    const auto is_sentinel = [](std::byte b) { return b == kSentinel; };
    return std::all_of(bytes_.data(), data(), is_sentinel) && std::all_of(data() + size_, bytes_.data() + bytes_.size(), is_sentinel);
  }

 private:
  static constexpr size_t kGuard = 64;
  Bytes bytes_;
  size_t size_;
  size_t offset_;
};

TEST(Targets, NeedNoAlignmentAndWriteNothingElse) {
  for (const Encoding& e : all_encodings()) {
    for (const Dtype dtype : kFloats) {
      for (const uint64_t cols : {uint64_t{e.group_size}, uint64_t{3} * 128}) {
        SCOPED_TRACE(describe(e, dtype));
        const Bytes values = Inputs(dtype, e.group_size, 4).make("spiked", 3 * cols);
        const Encoded expected = encode_with(reference::encode_rows, e, dtype, values, 3, cols);
        const Bytes decoded = decode_with(reference::decode_rows, e, dtype, expected, 3, cols);
        for_each_target([&] {
          const Encoded room = room_for(e, dtype, 3, cols);
          Guarded in(values), packed(room.packed), scales(room.scales), biases(room.biases), out(Bytes(values.size(), kSentinel));
          encode_rows(e, dtype, in.data(), 3, cols, {packed.data(), scales.data(), biases.data()});
          ASSERT_EQ((Encoded{packed.content(), scales.content(), biases.content()}), expected);
          decode_rows(e, dtype, {packed.data(), scales.data(), biases.data()}, 3, cols, out.data());
          ASSERT_EQ(out.content(), decoded);
          ASSERT_TRUE(packed.is_intact() && scales.is_intact() && biases.is_intact() && out.is_intact());
        });
      }
    }
  }
}

TEST(Targets, RowsAloneAreAsRowsTogether) {
  for (const Encoding& e : all_encodings()) {
    SCOPED_TRACE(describe(e, Dtype::kBF16));
    const Bytes values = Inputs(Dtype::kBF16, e.group_size, 5).make("weights", kRows * kCols);
    const Encoded together = encode_with(encode_rows, e, Dtype::kBF16, values, kRows, kCols);
    Encoded joined;
    for (uint64_t row = 0; row < kRows; ++row) {
      const Bytes one(values.begin() + row * kCols * 2, values.begin() + (row + 1) * kCols * 2);
      const Encoded alone = encode_with(encode_rows, e, Dtype::kBF16, one, 1, kCols);
      joined.packed.insert(joined.packed.end(), alone.packed.begin(), alone.packed.end());
      joined.scales.insert(joined.scales.end(), alone.scales.begin(), alone.scales.end());
      joined.biases.insert(joined.biases.end(), alone.biases.begin(), alone.biases.end());
    }
    EXPECT_EQ(joined, together);
  }
}

TEST(Targets, NothingIsWrittenForNoRows) {
  for (const Encoding& e : all_encodings()) {
    for_each_target([&] {
      encode_rows(e, Dtype::kBF16, nullptr, 0, 128, {nullptr, nullptr, nullptr});
      decode_rows(e, Dtype::kBF16, {nullptr, nullptr, nullptr}, 0, 128, nullptr);
    });
  }
}

}  // namespace
}  // namespace hf2mlx::testing
