// Elementary functions as MLX's CPU backend approximates them, where the bits of a result are part of the model.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace hf2mlx {

// e^x = 2^whole * 2^part, the second by a polynomial of degree 6 (the coefficients are those of Cephes' exp2f), fused at every step.
inline float mlx_exp(float x) {
  if (std::isnan(x)) return x;
  if (x > 88.0f) return HUGE_VALF;
  if (x < -88.0f) return 0.0f;
  const float scaled = x * 1.442695f;
  const float whole = static_cast<float>(std::floor(scaled + 0.5));
  const float part = scaled - whole;
  constexpr float kCoefficients[] = {1.339887440266574e-3f, 9.618437357674640e-3f, 5.550332471162809e-2f,
                                     2.402264791363012e-1f, 6.931472028550421e-1f, 1.000000000000000f};
  float power = 1.535336188319500e-4f;
  for (const float c : kCoefficients) power = std::fma(power, part, c);
  const uint32_t exponent = static_cast<uint32_t>(static_cast<int32_t>(whole) + 127) << 23;
  return std::bit_cast<float>(exponent) * power;
}

inline float mlx_sigmoid(float x) {
  const float small = 1.0f / (1.0f + mlx_exp(std::fabs(x)));
  return x < 0.0f ? small : 1.0f - small;
}

}  // namespace hf2mlx
