// FNV-1a, splitmix64, and the fills made of them.
#include "golden/generator.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <stdexcept>

#include "quant/convert.h"

namespace hf2mlx::golden {
namespace {

constexpr uint64_t kFnvOffset = 0xCBF29CE484222325;
constexpr uint64_t kFnvPrime = 0x100000001B3;
constexpr uint64_t kGoldenRatio = 0x9E3779B97F4A7C15;
constexpr int64_t kLaneMean = 131070;  // of the sum of four 16-bit lanes

uint64_t seed_of(std::string_view name) {
  uint64_t seed = kFnvOffset;
  for (const unsigned char c : name) seed = (seed ^ c) * kFnvPrime;
  return seed;
}

// Output `index` of the splitmix64 stream.
uint64_t random_word(uint64_t seed, uint64_t index) {
  uint64_t z = seed + (index + 1) * kGoldenRatio;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

double normal_value(uint64_t word) {
  int64_t sum = -kLaneMean;
  for (int shift = 0; shift < 64; shift += 16) sum += static_cast<int64_t>((word >> shift) & 0xFFFF);
  return std::ldexp(static_cast<double>(sum), -21);
}

// The code of a NaN becomes that of the largest number.
uint64_t fp8_code(uint64_t word) { return (word & 0x7F) == 0x7F ? word ^ 1 : word; }

bool is_any_float(Dtype dtype) { return is_float(dtype) || dtype == Dtype::kF64; }

std::string_view default_fill(Dtype dtype) {
  if (is_any_float(dtype)) return "normal";
  return dtype == Dtype::kF8E4M3 ? "fp8" : "bits";
}

using FloatFill = std::function<double(uint64_t index)>;
using BitFill = std::function<uint64_t(uint64_t index)>;

std::vector<std::byte> float_values(Dtype dtype, uint64_t count, const FloatFill& fill) {
  std::vector<std::byte> out(count * size_of(dtype));
  for (uint64_t i = 0; i < count; ++i) {
    const double value = fill(i);
    const auto narrow = static_cast<float>(value);  // exact: 18 bits at most
    std::byte* to = out.data() + i * size_of(dtype);
    if (dtype == Dtype::kF64) {
      std::memcpy(to, &value, sizeof value);
    } else if (dtype == Dtype::kF32) {
      std::memcpy(to, &narrow, sizeof narrow);
    } else {
      convert_elements(Dtype::kF32, reinterpret_cast<const std::byte*>(&narrow), dtype, to, 1);
    }
  }
  return out;
}

std::vector<std::byte> bit_values(Dtype dtype, uint64_t count, const BitFill& fill) {
  std::vector<std::byte> out(count * size_of(dtype));
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t value = fill(i);
    std::memcpy(out.data() + i * size_of(dtype), &value, size_of(dtype));  // little-endian machines only, as the project is
  }
  return out;
}

std::vector<std::byte> constant_values(Dtype dtype, uint64_t count, uint64_t value) {
  if (!is_any_float(dtype)) return bit_values(dtype, count, [value](uint64_t) { return value; });
  return float_values(dtype, count, [value](uint64_t) { return static_cast<double>(value); });
}

}  // namespace

std::vector<std::byte> tensor_values(std::string_view name, Dtype dtype, uint64_t count, std::string_view fill) {
  const uint64_t seed = seed_of(name);
  if (fill.empty()) fill = default_fill(dtype);
  if (fill == "zeros") return constant_values(dtype, count, 0);
  if (fill == "ones") return constant_values(dtype, count, 1);
  if (fill == "normal") return float_values(dtype, count, [seed](uint64_t i) { return normal_value(random_word(seed, i)); });
  if (fill == "positive") {
    return float_values(dtype, count, [seed](uint64_t i) { return std::abs(normal_value(random_word(seed, i))) + 0x1p-10; });
  }
  if (fill == "fp8") return bit_values(dtype, count, [seed](uint64_t i) { return fp8_code(random_word(seed, i)); });
  if (fill == "e8m0") return bit_values(dtype, count, [seed](uint64_t i) { return 119 + random_word(seed, i) % 9; });
  const uint64_t mask = dtype == Dtype::kBool ? 1 : ~uint64_t{0};
  if (fill == "bits") return bit_values(dtype, count, [seed, mask](uint64_t i) { return random_word(seed, i) & mask; });
  throw std::invalid_argument("unknown fill " + std::string(fill));
}

}  // namespace hf2mlx::golden
