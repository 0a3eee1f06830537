// A block of a step's values, encoded as the step says.
#pragma once

#include <cstdint>

#include "pipeline/blocks.h"
#include "quant/codec.h"
#include "transform/scratch.h"

namespace hf2mlx {

// The encoded form of a block, in a thread's memory.
class EncodedBlock {
 public:
  // Encodes. Takes scratch for the weights of the columns.
  EncodedBlock(const Step& step, const Piece& piece, const std::byte* values, Buffers& buffers);

  std::span<const std::byte> packed() const { return packed_.span(); }
  std::span<const std::byte> scales() const { return scales_.span(); }
  std::span<const std::byte> biases() const { return biases_.span(); }
  ConstEncodedRows rows() const { return {packed_.data(), scales_.data(), biases_.data()}; }

 private:
  Scratch::Block packed_;
  Scratch::Block scales_;
  Scratch::Block biases_;
};

// A part of a block whose elements have the weights [0, count), or none.
struct WeightedRun {
  uint64_t done;  // elements of the block before it
  uint64_t count;
  const float* weights;  // null: all alike
};
using WeightedWork = std::function<void(const WeightedRun&)>;

// Cuts a block into such parts, in order: one where the step has no weights, else rows or parts of rows of whole groups.
void for_each_weighted_run(const Step& step, const Piece& piece, Scratch& scratch, const WeightedWork& work);

}  // namespace hf2mlx
