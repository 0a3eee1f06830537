// What the tests of the codecs share: inputs that tests/oracle/quant_vectors.py makes too, digests, and runs on every instruction set.
#pragma once

#include "quant/hwy_compat.h"
// After hwy_compat.h:
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "hwy/targets.h"
#include "quant/codec.h"
#include "quant/reference.h"

namespace hf2mlx::testing {

using Bytes = std::vector<std::byte>;

inline constexpr std::array<Dtype, 3> kFloats = {Dtype::kF16, Dtype::kBF16, Dtype::kF32};
inline constexpr std::byte kSentinel{0xA5};

inline std::vector<Encoding> all_encodings() {
  std::vector<Encoding> encodings;
  for (const uint32_t bits : {1u, 2u, 3u, 4u, 5u, 6u, 8u}) {
    for (const uint32_t group_size : {32u, 64u, 128u}) encodings.push_back({QuantMode::kAffine, bits, group_size});
  }
  for (const QuantMode mode : {QuantMode::kMxfp4, QuantMode::kMxfp8, QuantMode::kNvfp4}) encodings.push_back(default_encoding(mode));
  return encodings;
}

inline std::string describe(const Encoding& e, Dtype dtype) {
  return std::string(name_of(e.mode)) + " " + std::to_string(e.bits) + " bits, group " + std::to_string(e.group_size) + ", " +
         std::string(name_of(dtype));
}

// Calls `f` once for each instruction set that was compiled and that this processor has, the portable fallback included.
template <class F>
void for_each_target(F&& f) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    f();
  }
  hwy::SetSupportedTargetsForTest(0);
}

inline uint64_t splitmix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

inline uint64_t random_at(uint64_t seed, uint64_t index) { return splitmix64((seed << 32) + index); }

inline uint64_t digest(const Bytes& bytes) {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < bytes.size(); ++i) sum += splitmix64(i) * (std::to_integer<uint64_t>(bytes[i]) + 1);
  return sum;
}

inline uint64_t infinity_bits(Dtype dtype) { return dtype == Dtype::kF32 ? 0x7F800000u : dtype == Dtype::kF16 ? 0x7C00u : 0x7F80u; }
inline uint64_t sign_bit(Dtype dtype) { return dtype == Dtype::kF32 ? 0x80000000u : 0x8000u; }

inline void put_bits(Dtype dtype, uint64_t bits, Bytes& bytes, uint64_t index) {
  std::memcpy(&bytes[index * size_of(dtype)], &bits, size_of(dtype));  // little-endian
}
inline uint64_t get_bits(Dtype dtype, const Bytes& bytes, uint64_t index) {
  uint64_t bits = 0;
  std::memcpy(&bits, &bytes[index * size_of(dtype)], size_of(dtype));
  return bits;
}

inline void put_value(Dtype dtype, double value, Bytes& bytes, uint64_t index) {
  const float narrow = static_cast<float>(value);
  reference::convert_elements(Dtype::kF32, reinterpret_cast<const std::byte*>(&narrow), dtype, &bytes[index * size_of(dtype)], 1);
}

// Kinds of input, by the names that the oracle's vectors use. Groups matter to most of them.
class Inputs {
 public:
  Inputs(Dtype dtype, uint64_t group_size, uint64_t seed) : dtype_(dtype), group_size_(group_size), seed_(seed) {}

  static const std::vector<std::string>& names() {
    static const std::vector<std::string> all = {"raw", "weights", "wide", "ties", "spiked", "specials", "constant", "edges"};
    return all;
  }

  Bytes make(const std::string& name, uint64_t count) const {
    Bytes bytes(count * size_of(dtype_));
    for (uint64_t i = 0; i < count; ++i) make_one(name, i, bytes);
    return bytes;
  }

 private:
  void make_one(const std::string& name, uint64_t i, Bytes& bytes) const {
    const uint64_t random = random_at(seed_, i);
    const uint64_t group = random_at(seed_ + 1000, i / group_size_);
    if (name == "raw") return put_bits(dtype_, random, bytes, i);
    if (name == "weights") return put_value(dtype_, weight(random, static_cast<int>(group % 24) - 32), bytes, i);
    if (name == "wide") return put_value(dtype_, weight(random, static_cast<int>(group % 270) - 160), bytes, i);
    if (name == "ties")
      return put_value(dtype_, std::ldexp(static_cast<double>(random % 33) - 16, static_cast<int>(group % 12) - 6), bytes, i);
    if (name == "spiked") return splitmix64(random) % 64 == 0 ? make_one("raw", i, bytes) : make_one("weights", i, bytes);
    if (name == "specials") return put_bits(dtype_, special((group >> (random % 3 * 4)) & 15), bytes, i);
    if (name == "constant") return put_bits(dtype_, group, bytes, i);
    make_edge(random, group, i, bytes);
  }

  // Roughly normal, with 18 bits.
  static double weight(uint64_t random, int exponent) {
    int64_t sum = -131070;
    for (int k = 0; k < 4; ++k) sum += static_cast<int64_t>((random >> (16 * k)) & 0xFFFF);
    return std::ldexp(static_cast<double>(sum), exponent);
  }

  uint64_t special(uint64_t which) const {
    const uint64_t sign = sign_bit(dtype_);
    const uint64_t infinity = infinity_bits(dtype_);
    const uint64_t one = dtype_ == Dtype::kF32 ? 0x3F800000u : dtype_ == Dtype::kF16 ? 0x3C00u : 0x3F80u;
    const uint64_t normal = dtype_ == Dtype::kF32 ? 0x00800000u : dtype_ == Dtype::kF16 ? 0x0400u : 0x0080u;
    const uint64_t positive[8] = {0, infinity, infinity | 1, sign - 1, 1, one, infinity - 1, normal};
    return positive[which % 8] | (which < 8 ? 0 : sign);
  }

  // Groups whose largest value is a code's largest, other values being midpoints between codes or a unit beside them.
  void make_edge(uint64_t random, uint64_t group, uint64_t i, Bytes& bytes) const {
    constexpr double kFp4[8] = {0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 6};
    const double e4m3 = std::ldexp(static_cast<double>(17 + 2 * (random % 8)), static_cast<int>((random >> 8) % 18) - 13);
    const bool is_first = i % group_size_ == 0;
    const double largest = group % 2 == 0 ? 6.0 : 448.0;
    const double value = is_first ? largest : (random >> 16) % 2 == 0 ? kFp4[random % 8] : e4m3;
    put_value(dtype_, std::ldexp(value, static_cast<int>((group >> 8) % 16) - 12), bytes, i);
    const uint64_t beside = is_first ? 0 : (random >> 24) % 3 - 1;
    const uint64_t sign = (random >> 32) % 2 == 0 ? 0 : sign_bit(dtype_);
    put_bits(dtype_, (get_bits(dtype_, bytes, i) + beside) | sign, bytes, i);
  }

  Dtype dtype_;
  uint64_t group_size_;
  uint64_t seed_;
};

struct Encoded {
  Bytes packed, scales, biases;
  bool operator==(const Encoded&) const = default;
};

inline Encoded room_for(const Encoding& e, Dtype dtype, uint64_t rows, uint64_t cols) {
  const uint64_t scale_bytes = rows * groups(e, cols) * size_of(scale_dtype(e, dtype));
  return {Bytes(rows * packed_words(e, cols) * 4, kSentinel), Bytes(scale_bytes, kSentinel),
          Bytes(has_biases(e) ? scale_bytes : 0, kSentinel)};
}

using EncodeFunction = void(const Encoding&, Dtype, const std::byte*, uint64_t, uint64_t, const EncodedRows&);
using DecodeFunction = void(const Encoding&, Dtype, const ConstEncodedRows&, uint64_t, uint64_t, std::byte*);

inline Encoded encode_with(EncodeFunction* encode, const Encoding& e, Dtype dtype, const Bytes& values, uint64_t rows, uint64_t cols) {
  Encoded out = room_for(e, dtype, rows, cols);
  encode(e, dtype, values.data(), rows, cols, {out.packed.data(), out.scales.data(), out.biases.data()});
  return out;
}

inline Bytes decode_with(DecodeFunction* decode, const Encoding& e, Dtype dtype, const Encoded& in, uint64_t rows, uint64_t cols,
                         std::optional<float> global_scale = std::nullopt) {
  Bytes values(rows * cols * size_of(dtype), kSentinel);
  decode(e, dtype, {in.packed.data(), in.scales.data(), in.biases.data(), global_scale}, rows, cols, values.data());
  return values;
}

}  // namespace hf2mlx::testing
