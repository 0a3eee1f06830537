// Codes of other packings on every instruction set, against loops written from the definition.
#include "quant/codes.h"

#include "quant/test_support.h"

namespace hf2mlx {
namespace {

using testing::Bytes;
using testing::for_each_target;
using testing::kSentinel;
using testing::random_at;

Bytes random_bytes(uint64_t seed, size_t count) {
  Bytes bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(random_at(seed, i));
  return bytes;
}

uint8_t code_in_order(const Bytes& packed, uint64_t index, uint32_t bits) {
  uint32_t code = 0;
  for (uint32_t b = 0; b < bits; ++b) {
    const uint64_t at = index * bits + b;
    code |= (std::to_integer<uint32_t>(packed[at / 8]) >> at % 8 & 1u) << b;
  }
  return static_cast<uint8_t>(code);
}

// AutoAWQ's order of the outputs in a word.
uint64_t place_of(uint64_t index, uint32_t bits, CodeOrder order) {
  constexpr uint64_t kAwq4[] = {0, 4, 1, 5, 2, 6, 3, 7};
  constexpr uint64_t kAwq8[] = {0, 2, 1, 3};
  if (order == CodeOrder::kHighFirst) return index ^ 1;
  if (order == CodeOrder::kAwq) return bits == 4 ? index / 8 * 8 + kAwq4[index % 8] : index / 4 * 4 + kAwq8[index % 4];
  return index;
}

TEST(Codes, AreUnpackedInEveryOrder) {
  for_each_target([] {
    for (const CodeOrder order : {CodeOrder::kInOrder, CodeOrder::kHighFirst, CodeOrder::kAwq}) {
      for (const uint32_t bits : {2u, 3u, 4u, 5u, 6u, 8u}) {
        if (!has_codes(bits, order)) continue;
        for (const uint64_t units : {1, 3, 17, 500}) {
          const uint64_t count = units * codes_of_unit(bits, order);
          const Bytes packed = random_bytes(bits, count * bits / 8);
          Bytes codes(count + 1, kSentinel);
          unpack_codes(bits, order, packed.data(), count, codes.data());
          for (uint64_t i = 0; i < count; ++i) {
            ASSERT_EQ(std::to_integer<uint8_t>(codes[i]), code_in_order(packed, place_of(i, bits, order), bits))
                << bits << " bits, code " << i;
          }
          EXPECT_EQ(codes[count], kSentinel);
        }
      }
    }
  });
}

TEST(Codes, ArePackedAsTheyWere) {
  for_each_target([] {
    for (const uint32_t bits : {2u, 3u, 4u, 5u, 6u, 8u}) {
      for (const uint64_t units : {1, 3, 17, 2000}) {
        const uint64_t count = units * codes_of_unit(bits, CodeOrder::kInOrder);
        const Bytes packed = random_bytes(bits, count * bits / 8);
        Bytes codes(count);
        unpack_codes(bits, CodeOrder::kInOrder, packed.data(), count, codes.data());
        Bytes again(packed.size() + 1, kSentinel);
        pack_codes(bits, codes.data(), count, again.data());
        EXPECT_EQ(again.back(), kSentinel);
        again.pop_back();
        ASSERT_EQ(again, packed) << bits << " bits, " << count << " codes";
      }
    }
  });
}

TEST(Codes, FieldsOfBytesAndSums) {
  for_each_target([] {
    for (const uint64_t count : {1, 15, 64, 1000}) {
      const Bytes bytes = random_bytes(5, count);
      for (uint32_t low = 0; low < 8; low += 2) {
        Bytes codes(count + 1, kSentinel);
        codes_in_bytes(low, 2, bytes.data(), count, codes.data());
        for (uint64_t i = 0; i < count; ++i) ASSERT_EQ(codes[i], bytes[i] >> low & std::byte{3}) << "bits from " << low << ", byte " << i;
        EXPECT_EQ(codes[count], kSentinel);
      }
      for (const uint32_t bits : {3u, 8u}) {
        Bytes codes = bytes;
        codes.push_back(kSentinel);
        add_to_codes(129, bits, count, codes.data());
        for (uint64_t i = 0; i < count; ++i) {
          ASSERT_EQ(std::to_integer<uint32_t>(codes[i]), (std::to_integer<uint32_t>(bytes[i]) + 129) % (1u << bits)) << "byte " << i;
        }
        EXPECT_EQ(codes[count], kSentinel);
      }
    }
  });
}

TEST(Codes, OrdersThatAreThere) {
  EXPECT_FALSE(has_codes(1, CodeOrder::kInOrder));
  EXPECT_FALSE(has_codes(7, CodeOrder::kInOrder));
  EXPECT_FALSE(has_codes(8, CodeOrder::kHighFirst));
  EXPECT_FALSE(has_codes(3, CodeOrder::kAwq));
}

TEST(Codes, ValuesAreTableMinusZeroTimesScale) {
  constexpr uint64_t kCount = 77;
  const Bytes codes = random_bytes(7, kCount);
  std::vector<float> table(256);
  for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(static_cast<int64_t>(random_at(8, i) % 4001) - 2000) / 3;
  const std::vector<float> scales = {0.1f, -3, 1e-6f}, zeros = {7, 0, 15};
  std::vector<int32_t> group_of(kCount);
  for (size_t i = 0; i < kCount; ++i) group_of[i] = static_cast<int32_t>(random_at(9, i) % 3);
  for_each_target([&] {
    for (const uint64_t count : {uint64_t{0}, uint64_t{1}, uint64_t{8}, kCount}) {
      std::vector<float> values(kCount, 1), grouped(kCount, 1);
      values_of_codes(table.data(), codes.data(), count, CodeScale{scales[0], zeros[0]}, values.data());
      values_of_codes(table.data(), codes.data(), count, CodeGroups{group_of.data(), scales.data(), zeros.data()}, grouped.data());
      std::vector<float> plain(kCount, 1), plain_grouped(kCount, 1);
      values_of_codes(nullptr, codes.data(), count, CodeScale{scales[0], zeros[0]}, plain.data());
      values_of_codes(nullptr, codes.data(), count, CodeGroups{group_of.data(), scales.data(), zeros.data()}, plain_grouped.data());
      for (size_t i = 0; i < kCount; ++i) {
        const float number = table[std::to_integer<size_t>(codes[i])];
        const float code = std::to_integer<uint8_t>(codes[i]);
        const auto group = static_cast<size_t>(group_of[i]);
        EXPECT_EQ(values[i], i < count ? (number - zeros[0]) * scales[0] : 1);
        EXPECT_EQ(grouped[i], i < count ? (number - zeros[group]) * scales[group] : 1);
        EXPECT_EQ(plain[i], i < count ? (code - zeros[0]) * scales[0] : 1);
        EXPECT_EQ(plain_grouped[i], i < count ? (code - zeros[group]) * scales[group] : 1);
      }
    }
  });
}

}  // namespace
}  // namespace hf2mlx
