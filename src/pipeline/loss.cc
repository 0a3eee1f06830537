// See loss.h.
#include "pipeline/loss.h"

#include <algorithm>
#include <cmath>

#include "quant/convert.h"

namespace hf2mlx {

Loss& Loss::operator+=(const Loss& other) {
  error_squares += other.error_squares;
  value_squares += other.value_squares;
  return *this;
}

double Loss::relative_rms() const { return value_squares > 0 ? std::sqrt(error_squares / value_squares) : 0; }

Loss loss_of(const Encoding& encoding, Dtype dtype, const std::byte* values, uint64_t count, const ConstEncodedRows& encoded,
             Scratch& scratch) {
  constexpr uint64_t kChunk = 1024;
  const Scratch::Block decoded(scratch, count * size_of(dtype));
  decode_rows(encoding, dtype, encoded, 1, count, decoded.data());
  Loss loss;
  float before[kChunk];
  float after[kChunk];
  for (uint64_t begin = 0; begin < count; begin += kChunk) {
    const uint64_t n = std::min(kChunk, count - begin);
    convert_elements(dtype, values + begin * size_of(dtype), Dtype::kF32, reinterpret_cast<std::byte*>(before), n);
    convert_elements(dtype, decoded.data() + begin * size_of(dtype), Dtype::kF32, reinterpret_cast<std::byte*>(after), n);
    for (uint64_t i = 0; i < n; ++i) {
      const double error = double{before[i]} - double{after[i]};
      if (!std::isfinite(error)) continue;
      loss.error_squares += error * error;
      loss.value_squares += double{before[i]} * double{before[i]};
    }
  }
  return loss;
}

}  // namespace hf2mlx
