// What the tests of the operations share: files in memory, arrays with naive indexing, and reads of random ranges.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hf2mlx/error.h"
#include "io/file.h"
#include "quant/convert.h"
#include "tensor/lazy.h"
#include "transform/ops.h"
#include "transform/scratch.h"

namespace hf2mlx::testing {

using Bytes = std::vector<std::byte>;

// A file whose bytes are given, and which counts how it is read.
class MemoryFile final : public Reader {
 public:
  explicit MemoryFile(Bytes bytes) : bytes_(std::move(bytes)) {}

  void read_at(uint64_t offset, std::span<std::byte> out) const override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) throw Error(ErrorCode::kCorrupt, "memory: read beyond the end");
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
    ++reads;
    bytes_read += out.size();
  }
  uint64_t size() const override { return bytes_.size(); }
  const std::string& name() const override { return name_; }

  mutable std::atomic<uint64_t> reads{0};
  mutable std::atomic<uint64_t> bytes_read{0};

 private:
  const Bytes bytes_;
  const std::string name_ = "memory";
};

// A tensor in memory: what an operation is expected to give.
struct Array {
  Dtype dtype;
  Shape shape;
  Bytes bytes;
};

template <class T>
Array array_of(Dtype dtype, Shape shape, const std::vector<T>& values) {
  Array array{dtype, std::move(shape), Bytes(values.size() * sizeof(T))};
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

inline Array random_bytes(Dtype dtype, Shape shape, uint32_t seed) {
  std::mt19937 random(seed);
  Array array{dtype, shape, Bytes(element_count(shape) * size_of(dtype))};
  for (std::byte& byte : array.bytes) byte = static_cast<std::byte>(random());
  return array;
}

inline Array from_floats(Dtype dtype, Shape shape, const std::vector<float>& values) {
  Array array{dtype, std::move(shape), Bytes(values.size() * size_of(dtype))};
  convert_elements(Dtype::kF32, reinterpret_cast<const std::byte*>(values.data()), dtype, array.bytes.data(), values.size());
  return array;
}

inline std::vector<float> to_floats(const Array& array) {
  std::vector<float> values(element_count(array.shape));
  convert_elements(array.dtype, array.bytes.data(), Dtype::kF32, reinterpret_cast<std::byte*>(values.data()), values.size());
  return values;
}

inline Array random_floats(Dtype dtype, Shape shape, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(element_count(shape));
  for (float& value : values) value = normal(random);
  return from_floats(dtype, std::move(shape), values);
}

// Numbers that a few lines of Python can make too: the upper halves of a linear congruential sequence, without the first four.
inline std::vector<uint32_t> generated_words(uint64_t count, uint64_t seed) {
  std::vector<uint32_t> words(count);
  uint64_t state = seed;
  const auto next = [&state] { return static_cast<uint32_t>((state = state * 6364136223846793005u + 1442695040888963407u) >> 32); };
  for (int i = 0; i < 4; ++i) next();
  for (uint32_t& word : words) word = next();
  return words;
}

inline Array generated_bytes(Dtype dtype, Shape shape, uint64_t seed) {
  const std::vector<uint32_t> words = generated_words(element_count(shape), seed);
  return array_of<uint8_t>(dtype, std::move(shape), {words.begin(), words.end()});
}

// Floats from such words: sign, 4 bits of exponent from 2^-13 on, and the upper bits of the fraction.
inline Array generated_floats(Dtype dtype, Shape shape, uint64_t seed) {
  std::vector<uint32_t> words = generated_words(element_count(shape), seed);
  if (dtype == Dtype::kF32) {
    for (uint32_t& w : words) w = (w & 0x80000000u) | ((w >> 23 & 15) + 114) << 23 | (w & 0x7fffffu);
    return array_of(dtype, std::move(shape), words);
  }
  const bool half = dtype == Dtype::kF16;
  std::vector<uint16_t> values;
  for (const uint32_t w : words) {
    const uint32_t exponent = (w >> 23 & 15) + (half ? 2 : 114);
    const uint32_t magnitude = half ? exponent << 10 | (w & 0x7fffffu) >> 13 : exponent << 7 | (w & 0x7fffffu) >> 16;
    values.push_back(static_cast<uint16_t>(w >> 31 << 15 | magnitude));
  }
  return array_of(dtype, std::move(shape), values);
}

// FNV-1a with 64 bits.
inline uint64_t digest_of(const Bytes& bytes) {
  uint64_t digest = 0xcbf29ce484222325u;
  for (const std::byte byte : bytes) digest = (digest ^ static_cast<uint64_t>(byte)) * 0x100000001b3u;
  return digest;
}

// The array as a checkpoint tensor, some bytes into its file.
inline TensorRef stored(const Array& array) {
  constexpr uint64_t kOffsetBytes = 24;
  Bytes bytes(kOffsetBytes);
  bytes.insert(bytes.end(), array.bytes.begin(), array.bytes.end());
  return ops::source(std::make_shared<MemoryFile>(std::move(bytes)), array.dtype, array.shape, kOffsetBytes);
}

// The array of `shape` whose element at `index` is the element of `array` at place(index).
template <class Place>
Array gathered(const Array& array, const Shape& shape, Place place) {
  const uint64_t bytes = size_of(array.dtype);
  const uint64_t count = element_count(shape);
  Array result{array.dtype, shape, Bytes(count * bytes)};
  Shape index(shape.size());
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t rest = i;
    for (size_t axis = shape.size(); axis-- > 0; rest /= shape[axis]) index[axis] = rest % shape[axis];
    const Shape from = place(index);
    uint64_t flat = 0;
    for (size_t axis = 0; axis < from.size(); ++axis) flat = flat * array.shape[axis] + from[axis];
    std::memcpy(result.bytes.data() + i * bytes, array.bytes.data() + flat * bytes, bytes);
  }
  return result;
}

// Reads one range into memory with a margin of sentinels, which must survive.
inline Bytes read_range(const LazyTensor& t, uint64_t begin, uint64_t count, Scratch& scratch) {
  constexpr size_t kMargin = 16;
  constexpr std::byte kSentinel{0xA5};
  const size_t bytes = count * size_of(t.dtype());
  Bytes buffer(bytes + 2 * kMargin, kSentinel);
  const uint64_t free_bytes = scratch.free_bytes();
  t.read(begin, count, buffer.data() + kMargin, scratch);
  EXPECT_EQ(scratch.free_bytes(), free_bytes);
  EXPECT_TRUE(std::all_of(buffer.begin(), buffer.begin() + kMargin, [](std::byte b) { return b == kSentinel; }));
  EXPECT_TRUE(std::all_of(buffer.end() - kMargin, buffer.end(), [](std::byte b) { return b == kSentinel; }));
  return {buffer.begin() + kMargin, buffer.end() - kMargin};
}

inline Array read_all(const TensorRef& t) {
  Scratch scratch(1 << 20);
  return {t->dtype(), t->shape(), read_range(*t, 0, element_count(t->shape()), scratch)};
}

inline void expect_range(const LazyTensor& t, const Array& expected, uint64_t begin, uint64_t count, Scratch& scratch) {
  const uint64_t bytes = size_of(t.dtype());
  const Bytes found = read_range(t, begin, count, scratch);
  const auto from = expected.bytes.begin() + static_cast<std::ptrdiff_t>(begin * bytes);
  const auto where = std::mismatch(found.begin(), found.end(), from).first - found.begin();
  EXPECT_EQ(static_cast<size_t>(where), found.size()) << "elements " << begin << " + " << count << " of " << to_string(t.shape())
                                                      << " differ from element " << begin + static_cast<uint64_t>(where) / bytes << " on";
}

// The whole tensor, whole rows and random ranges, with much and with little scratch, must all be the expected bytes.
inline void expect_tensor(const TensorRef& t, const Array& expected, uint64_t least_scratch_bytes = 1024) {
  ASSERT_EQ(t->dtype(), expected.dtype);
  ASSERT_EQ(t->shape(), expected.shape);
  const uint64_t count = element_count(expected.shape);
  ASSERT_EQ(expected.bytes.size(), count * size_of(t->dtype()));
  std::mt19937 random(7);
  const auto below = [&](uint64_t n) { return std::uniform_int_distribution<uint64_t>(0, n - 1)(random); };
  for (const uint64_t scratch_bytes : {least_scratch_bytes, uint64_t{20000}, uint64_t{8} << 20}) {
    Scratch scratch(scratch_bytes);
    expect_range(*t, expected, 0, count, scratch);
    if (count == 0) continue;
    for (int i = 0; i < 12 && !::testing::Test::HasFailure(); ++i) {
      const uint64_t begin = below(count);
      expect_range(*t, expected, begin, i % 2 == 0 ? below(count - begin) + 1 : std::min(count - begin, below(40) + 1), scratch);
      const uint64_t cols = cols_of(expected.shape);
      const uint64_t row = below(count / cols);
      expect_range(*t, expected, row * cols, (below(count / cols - row) + 1) * cols, scratch);
    }
  }
}

// The bytes have that digest (of what mlx 0.32.4 computes from the same input on the CPU), whatever the range they are read in.
inline void expect_digest(const TensorRef& t, uint64_t digest, uint64_t least_scratch_bytes = 1024) {
  const Array all = read_all(t);
  EXPECT_EQ(digest_of(all.bytes), digest);
  expect_tensor(t, all, least_scratch_bytes);
}

template <class Action>
void expect_error(ErrorCode code, Action action) {
  try {
    action();
    ADD_FAILURE() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
  }
}

}  // namespace hf2mlx::testing
