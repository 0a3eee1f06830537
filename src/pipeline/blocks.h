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
  uint64_t block_bytes = 0;            // most bytes of a block; 0: a quarter of a thread's buffers
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
  uint32_t number = 0;  // among all of its run

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

// Says which blocks are worked on, and in which order.
class BlockGuide {
 public:
  virtual ~BlockGuide() = default;
  // Sees all blocks in the order of the steps; a block's place there is its number. Returns the numbers of those that are to be worked on,
  // in the order in which they are to be begun: no later one is begun before an earlier one.
  virtual std::vector<uint32_t> arrange(const std::vector<Piece>& blocks) = 0;
  // From any thread, when the work on a block is done.
  virtual void finished(uint32_t number) = 0;
};

// Calls `work` for blocks that together are the values of all steps. Steps of one value (one object) that follow each other get its blocks
// together, computed once. Progress counts bytes of the values. On an error all threads are stopped before it is thrown.
struct BlockRun {
  std::string_view label;  // for the progress
  const PipelineOptions& options;
  Progress* progress;
  const CancelToken* cancel;
  BlockGuide* guide = nullptr;  // null: all of them, in order
};
// Cuts blocks at the size that the options give, but a matrix of a stack of large ones ends its block: experts lie apart in files.
void for_each_block(const std::vector<Use>& uses, const BlockRun& run, const BlockWork& work);

}  // namespace hf2mlx
