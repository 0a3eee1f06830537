// Conversions between element types, on every instruction set. The oracle's vectors hold the values against mlx; here are the edges.
#include "quant/convert.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "quant/test_support.h"

namespace hf2mlx::testing {
namespace {

uint64_t convert_one(Dtype from, uint64_t bits, Dtype to) {
  Bytes in(size_of(from));
  Bytes out(size_of(to));
  put_bits(from, bits, in, 0);
  convert_elements(from, in.data(), to, out.data(), 1);
  return get_bits(to, out, 0);
}

uint64_t decode_one(Dtype from, uint8_t code, Dtype to) {
  const std::byte in{code};
  Bytes out(size_of(to));
  decode_fp8(from, &in, to, out.data(), 1);
  return get_bits(to, out, 0);
}

TEST(Convert, RoundsToNearestEven) {
  for_each_target([] {
    EXPECT_EQ(convert_one(Dtype::kF32, 0x3F808000, Dtype::kBF16), 0x3F80u);
    EXPECT_EQ(convert_one(Dtype::kF32, 0x3F818000, Dtype::kBF16), 0x3F82u);
    EXPECT_EQ(convert_one(Dtype::kF32, 0x3F808001, Dtype::kBF16), 0x3F81u);
    EXPECT_EQ(convert_one(Dtype::kF32, 0x3F801000, Dtype::kF16), 0x3C00u);
    EXPECT_EQ(convert_one(Dtype::kF32, 0x3F803000, Dtype::kF16), 0x3C02u);
    EXPECT_EQ(convert_one(Dtype::kF32, 0x3F801001, Dtype::kF16), 0x3C01u);
  });
}

TEST(Convert, OverflowsToInfinity) {
  for_each_target([] {
    EXPECT_EQ(convert_one(Dtype::kF32, 0x7F7FFFFF, Dtype::kBF16), 0x7F80u);
    EXPECT_EQ(convert_one(Dtype::kF32, 0xFF7F7FFF, Dtype::kBF16), 0xFF7Fu);
    EXPECT_EQ(convert_one(Dtype::kF32, 0x477FEFFF, Dtype::kF16), 0x7BFFu);  // just below 65520
    EXPECT_EQ(convert_one(Dtype::kF32, 0x477FF000, Dtype::kF16), 0x7C00u);
    EXPECT_EQ(convert_one(Dtype::kBF16, 0xFF7F, Dtype::kF16), 0xFC00u);
  });
}

TEST(Convert, KeepsSubnormals) {
  for_each_target([] {
    EXPECT_EQ(convert_one(Dtype::kF16, 0x0001, Dtype::kF32), 0x33800000u);
    EXPECT_EQ(convert_one(Dtype::kF16, 0x83FF, Dtype::kF32), 0xB87FC000u);
    EXPECT_EQ(convert_one(Dtype::kF32, 0x33000000, Dtype::kF16), 0x0000u);  // half of the smallest: a tie
    EXPECT_EQ(convert_one(Dtype::kF32, 0xB3000001, Dtype::kF16), 0x8001u);
    EXPECT_EQ(convert_one(Dtype::kF32, 0x387FFFFF, Dtype::kF16), 0x0400u);
    EXPECT_EQ(convert_one(Dtype::kF32, 0x00000001, Dtype::kBF16), 0x0000u);
    EXPECT_EQ(convert_one(Dtype::kBF16, 0x8001, Dtype::kF32), 0x80010000u);
  });
}

TEST(Convert, NanIsMlxsOwn) {
  for_each_target([] {
    EXPECT_EQ(convert_one(Dtype::kF32, 0x7F800001, Dtype::kBF16), 0x7FC0u);
    EXPECT_EQ(convert_one(Dtype::kF32, 0xFFFFFFFF, Dtype::kBF16), 0x7FC0u);
    EXPECT_EQ(convert_one(Dtype::kF32, 0x7F800001, Dtype::kF16), 0x7D00u);
    EXPECT_EQ(convert_one(Dtype::kBF16, 0xFFC0, Dtype::kF16), 0xFD00u);
    EXPECT_EQ(convert_one(Dtype::kF16, 0xFC01, Dtype::kF32), 0xFFC02000u);
    EXPECT_EQ(convert_one(Dtype::kF16, 0x7E00, Dtype::kBF16), 0x7FC0u);
  });
}

TEST(Convert, TheSameTypeIsACopy) {
  for (const Dtype dtype : kFloats) EXPECT_EQ(convert_one(dtype, infinity_bits(dtype) | 1, dtype), infinity_bits(dtype) | 1);
}

TEST(Convert, DoublesAreRoundedTwice) {
  EXPECT_EQ(convert_one(Dtype::kF64, 0x3FF0000000000000, Dtype::kBF16), 0x3F80u);
  // 1 + 2^-8 + 2^-30 is above the middle of two BF16 values, and in the middle once it is a float.
  EXPECT_EQ(convert_one(Dtype::kF64, 0x3FF0100000400000, Dtype::kBF16), 0x3F80u);
  EXPECT_EQ(convert_one(Dtype::kF64, 0x7FEFFFFFFFFFFFFF, Dtype::kF16), 0x7C00u);
}

TEST(Convert, FloatsAsTheReference) {
  Bytes in;
  constexpr uint64_t kStep = 8191;  // prime: all exponents, all lower bits
  constexpr uint64_t kCount = (uint64_t{1} << 32) / kStep;
  in.resize(4 * kCount);
  for (uint64_t i = 0; i < kCount; ++i) put_bits(Dtype::kF32, i * kStep, in, i);
  for (const Dtype to : {Dtype::kF16, Dtype::kBF16}) {
    Bytes expected(2 * kCount);
    reference::convert_elements(Dtype::kF32, in.data(), to, expected.data(), kCount);
    for_each_target([&] {
      Bytes out(2 * kCount);
      convert_elements(Dtype::kF32, in.data(), to, out.data(), kCount);
      ASSERT_EQ(out, expected) << name_of(to);
    });
  }
}

// `convert(in, out, count)` for odd addresses and every small count: right, and nothing else is written.
template <class F>
void check_counts(Dtype from, Dtype to, F&& convert) {
  const Bytes values = Inputs(from, 32, 6).make("raw", 40);
  const uint64_t size = size_of(to);
  for (uint64_t count = 0; count <= 40; ++count) {
    Bytes in(values.size() + 1);
    std::copy(values.begin(), values.end(), in.begin() + 1);
    Bytes whole(40 * size);
    convert(values.data(), whole.data(), 40);
    Bytes out(1 + 40 * size + 64, kSentinel);
    convert(in.data() + 1, out.data() + 1, count);
    ASSERT_TRUE(std::equal(out.begin() + 1, out.begin() + 1 + count * size, whole.begin())) << count;
    ASSERT_EQ(out[0], kSentinel);
    ASSERT_TRUE(std::all_of(out.begin() + 1 + count * size, out.end(), [](std::byte b) { return b == kSentinel; })) << count;
  }
}

TEST(Convert, AnyCountAtAnyAddress) {
  for_each_target([] {
    for (const Dtype to : kFloats) {
      for (const Dtype from : {Dtype::kF16, Dtype::kBF16, Dtype::kF32, Dtype::kF64}) {
        check_counts(from, to, [&](const std::byte* in, std::byte* out, uint64_t n) { convert_elements(from, in, to, out, n); });
      }
      for (const Dtype from : {Dtype::kF8E4M3, Dtype::kF8E5M2, Dtype::kF8E8M0}) {
        check_counts(from, to, [&](const std::byte* in, std::byte* out, uint64_t n) { decode_fp8(from, in, to, out, n); });
      }
    }
  });
}

TEST(Fp8, KnownValues) {
  for_each_target([] {
    EXPECT_EQ(decode_one(Dtype::kF8E4M3, 0x01, Dtype::kF32), 0x3B000000u);  // 2^-9
    EXPECT_EQ(decode_one(Dtype::kF8E4M3, 0xFE, Dtype::kBF16), 0xC3E0u);     // -448
    EXPECT_EQ(decode_one(Dtype::kF8E4M3, 0x7F, Dtype::kBF16), 0x7FC0u);
    EXPECT_EQ(decode_one(Dtype::kF8E4M3, 0x80, Dtype::kF16), 0x8000u);
    EXPECT_EQ(decode_one(Dtype::kF8E5M2, 0x01, Dtype::kF32), 0x37800000u);  // 2^-16
    EXPECT_EQ(decode_one(Dtype::kF8E5M2, 0x7B, Dtype::kF16), 0x7B00u);      // 57344
    EXPECT_EQ(decode_one(Dtype::kF8E5M2, 0xFC, Dtype::kBF16), 0xFF80u);
    EXPECT_EQ(decode_one(Dtype::kF8E5M2, 0x7E, Dtype::kBF16), 0x7FC0u);
    EXPECT_EQ(decode_one(Dtype::kF8E8M0, 0, Dtype::kF32), 0x00400000u);
    EXPECT_EQ(decode_one(Dtype::kF8E8M0, 127, Dtype::kBF16), 0x3F80u);
    EXPECT_EQ(decode_one(Dtype::kF8E8M0, 254, Dtype::kF32), 0x7F000000u);
    EXPECT_EQ(decode_one(Dtype::kF8E8M0, 255, Dtype::kF32), 0x7FC00000u);
    EXPECT_EQ(decode_one(Dtype::kF8E8M0, 102, Dtype::kF16), 0x0000u);
    EXPECT_EQ(decode_one(Dtype::kF8E8M0, 103, Dtype::kF16), 0x0001u);
    EXPECT_EQ(decode_one(Dtype::kF8E8M0, 143, Dtype::kF16), 0x7C00u);
  });
}

TEST(Fp8, AllCodesAsTheReference) {
  Bytes codes(256);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::byte>(i);
  for (const Dtype from : {Dtype::kF8E4M3, Dtype::kF8E5M2, Dtype::kF8E8M0}) {
    for (const Dtype to : kFloats) {
      Bytes expected(256 * size_of(to));
      reference::decode_fp8(from, codes.data(), to, expected.data(), 256);
      for_each_target([&] {
        Bytes out(256 * size_of(to));
        decode_fp8(from, codes.data(), to, out.data(), 256);
        EXPECT_EQ(out, expected) << name_of(from) << " to " << name_of(to);
      });
    }
  }
}

}  // namespace
}  // namespace hf2mlx::testing
