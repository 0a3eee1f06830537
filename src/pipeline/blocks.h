// Values in blocks: read and transformed by a fixed number of threads with a fixed amount of memory, whatever is then done with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "hf2mlx/progress.h"
#include "plan/plan.h"
#include "transform/scratch.h"

namespace hf2mlx {

struct PipelineOptions {
  unsigned threads = 1;
  uint64_t memory_bytes = 8ull << 20;  // for all buffers of all threads together
  const char* what = "converting";     // for progress
};

// The options with defaults filled in: a thread for each core, 8 MB of buffers for each thread and 32 MB to share out. Throws Error{kUsage}
// on too little memory.
PipelineOptions resolve_pipeline_options(unsigned threads, uint64_t memory_bytes);

// A step, and the number of what it is a step of.
struct Use {
  const Step* step;
  uint32_t number;
};

// Elements [begin, begin + count) of a value, and the steps that it is for.
struct Piece {
  std::span<const Use> uses;
  uint64_t begin;
  uint64_t count;

  const LazyTensor& value() const { return *uses.front().step->value; }
  uint64_t size_bytes() const { return count * size_of(value().dtype()); }
};

// One thread's memory: half of it to compute with, a quarter each for values and their encoding.
struct Buffers {
  explicit Buffers(uint64_t bytes) : memory(bytes / 2), scratch(bytes / 2) {}
  Scratch memory;
  Scratch scratch;
};

// What is done with a block; called by several threads at once.
using BlockWork = std::function<void(const Piece&, const std::byte* values, Buffers&)>;

// Calls `work` for blocks that together are the values of all steps. Steps of one value (one object) that follow each other get its blocks
// together, computed once. Progress counts bytes of the values. On an error all threads are stopped before it is thrown.
struct BlockRun {
  std::string_view label;  // for the progress
  const PipelineOptions& options;
  Progress* progress;
  const CancelToken* cancel;
};
void for_each_block(const std::vector<Use>& uses, const BlockRun& run, const BlockWork& work);

}  // namespace hf2mlx
