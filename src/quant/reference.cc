// Scalar codecs; see reference.h. Speed does not matter here, being obviously right does.
#include "quant/reference.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "quant/lattice.h"

namespace hf2mlx::reference {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

float float_from_f16(uint16_t h) {
  const uint32_t sign = uint32_t{h & 0x8000u} << 16;
  const uint32_t exponent = (h >> 10) & 31u;
  const uint32_t mantissa = h & 0x3FFu;
  float magnitude =
      std::ldexp(static_cast<float>(exponent == 0 ? mantissa : mantissa + 1024), static_cast<int>(std::max(exponent, 1u)) - 25);
  if (exponent == 31) {
    const uint32_t quiet = mantissa == 0 ? 0 : 0x00400000u;
    magnitude = std::bit_cast<float>(0x7F800000u | quiet | (mantissa << 13));
  }
  return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
}

// Adding a number so large that the unit of the sum is the unit of the result makes the processor round to nearest even.
uint16_t f16_from_float(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  if (std::isnan(x)) return sign | 0x7D00u;  // MLX's own NaN
  const double magnitude = std::fabs(static_cast<double>(x));
  if (magnitude >= 65520.0) return sign | 0x7C00u;
  const int exponent = std::max(magnitude == 0 ? -14 : std::ilogb(magnitude), -14);
  const double units = std::rint(std::ldexp(magnitude, 10 - exponent));  // 0 … 2048
  return static_cast<uint16_t>(sign + ((exponent + 14) << 10) + static_cast<int>(units));
}

float float_from_bf16(uint16_t h) { return std::bit_cast<float>(uint32_t{h} << 16); }

uint16_t bf16_from_float(float x) {
  if (std::isnan(x)) return 0x7FC0;
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  return static_cast<uint16_t>((uint64_t{bits} + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

float load(Dtype dtype, const std::byte* p, uint64_t i) {
  uint16_t h;
  if (dtype == Dtype::kF32) {
    float x;
    std::memcpy(&x, p + 4 * i, 4);
    return x;
  }
  std::memcpy(&h, p + 2 * i, 2);
  return dtype == Dtype::kF16 ? float_from_f16(h) : float_from_bf16(h);
}

void store(Dtype dtype, float x, std::byte* p, uint64_t i) {
  if (dtype == Dtype::kF32) {
    std::memcpy(p + 4 * i, &x, 4);
    return;
  }
  const uint16_t h = dtype == Dtype::kF16 ? f16_from_float(x) : bf16_from_float(x);
  std::memcpy(p + 2 * i, &h, 2);
}

float round_to(Dtype dtype, float x) {
  if (dtype == Dtype::kF16) return float_from_f16(f16_from_float(x));
  return dtype == Dtype::kBF16 ? float_from_bf16(bf16_from_float(x)) : x;
}

uint8_t e4m3_from_float(float x) {
  const uint8_t sign = std::signbit(x) ? 0x80 : 0;
  const double magnitude = std::fabs(static_cast<double>(x));
  if (!(magnitude < 448.0)) return sign | 0x7E;  // saturates; NaN too
  const int exponent = std::max(magnitude == 0 ? -6 : std::ilogb(magnitude), -6);
  return static_cast<uint8_t>(sign + ((exponent + 6) << 3) + static_cast<int>(std::rint(std::ldexp(magnitude, 3 - exponent))));
}

float float_from_e4m3(uint8_t code) {
  const int exponent = (code >> 3) & 15;
  const int mantissa = code & 7;
  const float sign = code & 0x80 ? -1.0f : 1.0f;
  if ((code & 0x7F) == 0x7F) return std::bit_cast<float>(code & 0x80 ? 0xFFF00000u : 0x7FF00000u);
  return sign * std::ldexp(static_cast<float>(exponent == 0 ? mantissa : mantissa + 8), std::max(exponent, 1) - 10);
}

float float_from_e5m2(uint8_t code) { return float_from_f16(static_cast<uint16_t>(code << 8)); }

float float_from_e8m0(uint8_t code) { return code == 0xFF ? std::bit_cast<float>(0x7FC00000u) : std::ldexp(1.0f, int{code} - 127); }

constexpr float kFp4Values[16] = {0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f, -0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f};

// The first of the nearest values, distances being rounded to float32. Nothing is nearest to NaN or infinity: code 0.
uint8_t fp4_from_float(float x) {
  uint8_t best = 0;
  float best_distance = std::fabs(x - kFp4Values[0]);
  for (uint8_t code = 1; code < 16; ++code) {
    const float distance = std::fabs(x - kFp4Values[code]);
    if (distance < best_distance) {
      best_distance = distance;
      best = code;
    }
  }
  return best;
}

// Codes are one little-endian stream of bits, first value lowest, whatever their width.
void put_code(std::byte* packed, uint32_t bits, uint64_t index, uint32_t code) {
  for (uint32_t b = 0; b < bits; ++b) {
    const uint64_t position = index * bits + b;
    const std::byte mask = std::byte{1} << (position % 8);
    if ((code >> b) & 1)
      packed[position / 8] |= mask;
    else
      packed[position / 8] &= ~mask;
  }
}

uint32_t get_code(const std::byte* packed, uint32_t bits, uint64_t index) {
  uint32_t code = 0;
  for (uint32_t b = 0; b < bits; ++b) {
    const uint64_t position = index * bits + b;
    code |= (std::to_integer<uint32_t>(packed[position / 8] >> (position % 8)) & 1u) << b;
  }
  return code;
}

struct AffineParameters {
  float scale;
  float bias;
};

// The NaN that x86 makes of inf - inf, inf / inf or 0 / 0, and so that of MLX's vectors; other processors make a positive one.
const float kMadeNan = std::bit_cast<float>(0xFFC00000u);

float quotient(float a, float b) {
  const float result = a / b;
  if (std::isnan(a)) return a;
  if (std::isnan(b)) return b;
  return std::isnan(result) ? kMadeNan : result;
}

AffineParameters affine_parameters(float low, float high, float top_code) {
  const bool is_infinite_constant = low == high && std::isinf(low);
  const float step = is_infinite_constant ? kMadeNan : std::max((high - low) / top_code, 1e-7f);
  if (top_code == 1) return {step, low};  // a single bit chooses between the two ends
  const bool low_is_edge = std::fabs(low) > std::fabs(high);
  const float edge = low_is_edge ? low : high;
  const float scale = low_is_edge ? step : -step;
  const float edge_code = std::rint(quotient(edge, scale));
  if (edge_code == 0) return {scale, 0.0f};
  return {quotient(edge, edge_code), edge};
}

void encode_affine_group(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t group, const EncodedRows& out) {
  const uint64_t begin = group * e.group_size;
  float low = kInfinity;
  float high = -kInfinity;
  for (uint64_t i = begin; i < begin + e.group_size; ++i) {
    const float x = load(dtype, values, i);
    if (x < low) low = x;
    if (x > high) high = x;
  }
  const float top_code = static_cast<float>((1u << e.bits) - 1);
  const AffineParameters p = affine_parameters(low, high, top_code);
  for (uint64_t i = begin; i < begin + e.group_size; ++i) {
    const float code = std::rint((load(dtype, values, i) - p.bias) / p.scale);
    put_code(out.packed, e.bits, i, code > 0 ? static_cast<uint32_t>(std::min(code, top_code)) : 0);  // NaN becomes 0
  }
  store(dtype, p.scale, out.scales, group);
  store(dtype, p.bias, out.biases, group);
}

void encode_lattice_group(Dtype dtype, const std::byte* values, uint64_t group, const EncodedRows& out) {
  const uint64_t begin = group * kLatticeEncoding.group_size;
  float farthest = 0;
  for (uint64_t i = begin; i < begin + kLatticeEncoding.group_size; ++i) {
    const float x = load(dtype, values, i);
    if (std::fabs(x) > std::fabs(farthest)) farthest = x;
  }
  const float d = farthest / -8;
  const float inverse = d == 0 ? 0 : 1 / d;
  for (uint64_t i = begin; i < begin + kLatticeEncoding.group_size; ++i) {
    const float place = load(dtype, values, i) * inverse + 8.5f;
    put_code(out.packed, kLatticeEncoding.bits, i, place > 0 ? static_cast<uint32_t>(std::min(place, 15.0f)) : 0);
  }
  const float narrow = round_to(Dtype::kF16, d);
  const float scale = round_to(dtype, std::isfinite(narrow) ? narrow : d);
  store(dtype, scale, out.scales, group);
  store(dtype, -8 * scale, out.biases, group);
}

// The smallest n with scale <= 2^n.
int ceil_log2(float scale) {
  int exponent;
  const float fraction = std::frexp(scale, &exponent);
  return fraction == 0.5f ? exponent - 1 : exponent;
}

struct MxScale {
  uint8_t code;
  float divisor;
};

MxScale mx_scale(Dtype dtype, float scale) {
  if (!std::isfinite(scale)) return {static_cast<uint8_t>(dtype == Dtype::kF32 ? 128 : 0), 0.0f};
  const int n = scale == 0 ? 0 : ceil_log2(scale);
  return {static_cast<uint8_t>(n + 127), std::ldexp(1.0f, n)};
}

MxScale fp_scale(const Encoding& e, Dtype dtype, float largest) {
  const float scale = round_to(dtype, largest / (e.bits == 4 ? 6.0f : 448.0f));
  if (e.mode != QuantMode::kNvfp4) return mx_scale(dtype, scale);
  const uint8_t code = e4m3_from_float(scale);
  return {code, float_from_e4m3(code)};
}

void encode_fp_group(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t group, const EncodedRows& out) {
  const uint64_t begin = group * e.group_size;
  float largest = 0;
  for (uint64_t i = begin; i < begin + e.group_size; ++i) {
    const float magnitude = std::fabs(load(dtype, values, i));
    if (std::isnan(magnitude) || magnitude > largest) largest = magnitude;
    if (std::isnan(largest)) break;
  }
  const MxScale scale = fp_scale(e, dtype, largest);
  for (uint64_t i = begin; i < begin + e.group_size; ++i) {
    const float x = round_to(dtype, quotient(load(dtype, values, i), scale.divisor));
    put_code(out.packed, e.bits, i, e.bits == 4 ? fp4_from_float(x) : e4m3_from_float(x));
  }
  out.scales[group] = std::byte{scale.code};
}

float decode_affine_element(const Encoding& e, Dtype dtype, const ConstEncodedRows& in, uint64_t i) {
  const float code = static_cast<float>(get_code(in.packed, e.bits, i));
  const float scaled = round_to(dtype, code * load(dtype, in.scales, i / e.group_size));
  if (std::isnan(scaled)) return scaled;  // of two NaNs the first wins
  return scaled + load(dtype, in.biases, i / e.group_size);
}

float decode_fp_element(const Encoding& e, Dtype dtype, const ConstEncodedRows& in, uint64_t i) {
  const uint32_t code = get_code(in.packed, e.bits, i);
  const uint8_t scale_code = std::to_integer<uint8_t>(in.scales[i / e.group_size]);
  const float scale = e.mode == QuantMode::kNvfp4 ? float_from_e4m3(scale_code) : std::ldexp(1.0f, int{scale_code} - 127);
  const float value = e.bits == 4 ? kFp4Values[code] : float_from_e4m3(static_cast<uint8_t>(code));
  const float factor = in.global_scale ? *in.global_scale / 2688.0f : 1.0f;  // 448 * 6: the largest scale times the largest value
  return round_to(dtype, value) * (round_to(dtype, scale) * factor);
}

}  // namespace

void encode_rows(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols, const EncodedRows& out) {
  for (uint64_t group = 0; group < rows * groups(e, cols); ++group) {
    if (has_biases(e))
      encode_affine_group(e, dtype, values, group, out);
    else
      encode_fp_group(e, dtype, values, group, out);
  }
}

void encode_lattice(Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols, const EncodedRows& out) {
  for (uint64_t group = 0; group < rows * groups(kLatticeEncoding, cols); ++group) encode_lattice_group(dtype, values, group, out);
}

void decode_rows(const Encoding& e, Dtype dtype, const ConstEncodedRows& in, uint64_t rows, uint64_t cols, std::byte* values) {
  for (uint64_t i = 0; i < rows * cols; ++i) {
    store(dtype, has_biases(e) ? decode_affine_element(e, dtype, in, i) : decode_fp_element(e, dtype, in, i), values, i);
  }
}

void convert_elements(Dtype from, const std::byte* in, Dtype to, std::byte* out, uint64_t count) {
  if (from == to) {
    std::memcpy(out, in, count * size_of(from));
    return;
  }
  for (uint64_t i = 0; i < count; ++i) {
    double wide;
    if (from == Dtype::kF64) std::memcpy(&wide, in + 8 * i, 8);
    store(to, from == Dtype::kF64 ? static_cast<float>(wide) : load(from, in, i), out, i);
  }
}

void decode_fp8(Dtype from, const std::byte* in, Dtype to, std::byte* out, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    const uint8_t code = std::to_integer<uint8_t>(in[i]);
    const float x = from == Dtype::kF8E4M3 ? float_from_e4m3(code) : from == Dtype::kF8E5M2 ? float_from_e5m2(code) : float_from_e8m0(code);
    store(to, x, out, i);
  }
}

}  // namespace hf2mlx::reference
