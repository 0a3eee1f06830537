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

TEST(Codes, BlocksAreTransposed) {
  for_each_target([] {
    for (const uint32_t bits : {4u, 8u}) {
      const uint64_t places = 32 / bits;
      for (const uint64_t count : {1, 7, 16, 100}) {
        const Bytes blocks = random_bytes(bits, count * places * 4);
        std::vector<Bytes> found(places, Bytes(count * 4 + 1, kSentinel));
        std::vector<std::byte*> rows;
        for (Bytes& row : found) rows.push_back(row.data());
        transpose_codes(bits, blocks.data(), count, rows.data());
        for (uint64_t place = 0; place < places; ++place) {
          for (uint64_t i = 0; i < count * places; ++i) {
            ASSERT_EQ(code_in_order(found[place], i, bits), code_in_order(blocks, i * places + place, bits)) << bits << " bits, code " << i;
          }
          EXPECT_EQ(found[place].back(), kSentinel);
        }
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

std::vector<float> random_numbers(size_t count) {
  std::vector<float> numbers(256);
  for (size_t i = 0; i < count; ++i) numbers[i] = static_cast<float>(static_cast<int64_t>(random_at(8, i) % 4001) - 2000) / 3;
  return numbers;
}

// No table, a large one and a small one.
TEST(Codes, ValuesAreNumbersMinusZeroTimesScale) {
  constexpr uint64_t kCount = 177;
  const std::vector<float> scales = {0.1f, -3, 1e-6f, 7, 2, 0.3f}, zeros = {7, 0, 15, 1, 2, 128};
  std::vector<int32_t> group_of(kCount);
  for (size_t i = 0; i < kCount; ++i) group_of[i] = static_cast<int32_t>(random_at(9, i) % scales.size());
  for (const uint32_t size : {0u, 256u, 16u, 5u}) {
    const std::vector<float> numbers = random_numbers(size);
    const CodeTable table{size == 0 ? nullptr : numbers.data(), size};
    Bytes codes = random_bytes(7, kCount);
    for (std::byte& code : codes) code = static_cast<std::byte>(std::to_integer<uint32_t>(code) % (size == 0 ? 256 : size));
    const auto number = [&](size_t i) {
      return size == 0 ? std::to_integer<uint8_t>(codes[i]) : numbers[std::to_integer<size_t>(codes[i])];
    };
    for_each_target([&] {
      for (const uint64_t count : {uint64_t{0}, uint64_t{1}, uint64_t{8}, uint64_t{16}, kCount}) {
        std::vector<float> grouped(kCount, 1);
        values_of_codes(table, codes.data(), count, CodeGroups{group_of.data(), scales.data(), zeros.data()}, grouped.data());
        for (size_t i = 0; i < kCount; ++i) {
          const auto group = static_cast<size_t>(group_of[i]);
          EXPECT_EQ(grouped[i], i < count ? (number(i) - zeros[group]) * scales[group] : 1);
        }
        for (const uint64_t group_size : {uint64_t{32}, uint64_t{35}, uint64_t{1000}}) {
          const uint64_t skew = group_size / 3;
          std::vector<float> values(kCount, 1), scaled(kCount, 3);
          const CodeRuns runs{group_size, skew, scales.data(), zeros.data()};
          values_of_codes(table, codes.data(), count, runs, values.data());
          scale_values(count, runs, scaled.data());
          for (size_t i = 0; i < kCount; ++i) {
            const size_t group = (skew + i) / group_size;
            EXPECT_EQ(values[i], i < count ? (number(i) - zeros[group]) * scales[group] : 1);
            EXPECT_EQ(scaled[i], i < count ? 3 * scales[group] : 3);
          }
        }
      }
    });
  }
}

}  // namespace
}  // namespace hf2mlx
