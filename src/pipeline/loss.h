// What encoding values anew has lost, summed up over blocks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "quant/codec.h"
#include "tensor/dtype.h"
#include "transform/scratch.h"

namespace hf2mlx {

struct Loss {
  double error_squares = 0;
  double value_squares = 0;

  Loss& operator+=(const Loss& other);
  // The root of the mean square of the errors over that of the values; 0 where nothing was measured.
  double relative_rms() const;
};

// Of `count` values of `dtype` that became `encoded`. Where a value or its successor is not finite, it does not count. Takes
// count * size_of(dtype) bytes of `scratch`.
Loss loss_of(const Encoding& encoding, Dtype dtype, const std::byte* values, uint64_t count, const ConstEncodedRows& encoded,
             Scratch& scratch);

}  // namespace hf2mlx
