// What encoding values anew has lost, summed up over blocks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/exact_sum.h"
#include "pipeline/encode.h"

namespace hf2mlx {

struct Loss {
  double error_squares = 0;
  double value_squares = 0;

  // The root of the mean square of the errors over that of the values; 0 where nothing was measured.
  double relative_rms() const;
  Loss& operator+=(const Loss& other) {
    error_squares += other.error_squares;
    value_squares += other.value_squares;
    return *this;
  }
};

// The same for any order and any size of the blocks.
struct LossSum {
  ExactSum error_squares;
  ExactSum value_squares;

  LossSum& operator+=(const LossSum& other);
  Loss value() const { return {error_squares.value(), value_squares.value()}; }
};

// Of a block that became `encoded`: each square counts as much as the step's weight of its column. Where a value or its successor is not
// finite, it does not count. Takes scratch for the block's values and for the weights.
LossSum loss_of(const Step& step, const Piece& piece, const std::byte* values, const EncodedBlock& encoded, Scratch& scratch);

}  // namespace hf2mlx
