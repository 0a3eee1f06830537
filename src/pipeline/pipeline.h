// Runs plans: blocks of elements are read, transformed, encoded and written by a fixed number of threads with a fixed amount of memory.
//
// Every block has its own place in the output, so blocks may finish in any order and the bytes are the same for any number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "hf2mlx/progress.h"
#include "io/file.h"
#include "io/sha256_chain.h"
#include "pipeline/blocks.h"
#include "pipeline/loss.h"
#include "plan/plan.h"

namespace hf2mlx {

// Elements [begin, begin + count) of a step that is quantized, as they are before and after.
struct EncodedPiece {
  const Step& step;
  uint64_t begin;
  uint64_t count;
  const std::byte* values;
  ConstEncodedRows encoded;
};

// Sees every piece of every quantized step; may be called from any thread. Has a thread's scratch memory for as long as the call takes.
class EncodedObserver {
 public:
  virtual ~EncodedObserver() = default;
  virtual void observe(const EncodedPiece& piece, Scratch& scratch) = 0;
};

// A plan and a writer for each of its shards, of its final size, header included.
struct PlanOutput {
  const Plan& plan;
  std::vector<std::unique_ptr<Writer>> files;
  EncodedObserver* observer = nullptr;
};

// What is known of a block that was written.
struct BlockRecord {
  Sha256State digest = {};        // of its bytes in all outputs
  std::vector<Loss> losses = {};  // of each plan
};

// Lets a run go on where an earlier one ended.
class RunGuide {
 public:
  virtual ~RunGuide() = default;
  // What an earlier run wrote, by the numbers of the blocks. It is read back, and done anew where it is not what it was.
  virtual const std::unordered_map<uint32_t, BlockRecord>& earlier() const = 0;
  // Orders the numbers of blocks, which are those that are to be written.
  virtual void arrange(const std::vector<Piece>& blocks, std::vector<uint32_t>& numbers) = 0;
  // From any thread.
  virtual void finished(uint32_t number, const BlockRecord& record) = 0;
};

// Reads back what a run has written of a plan.
using ReadBack = std::function<void(size_t plan, uint32_t shard, uint64_t offset_bytes, std::span<std::byte> out)>;

struct GuidedRun {
  RunGuide& guide;
  ReadBack read_back;
};

// Writes the tensor data of every output of every plan. A value that several plans have (one object) is read and computed once, whatever
// becomes of it. Returns for each plan what its reencoded steps have lost.
// Progress counts bytes of the tensors as they are before they are encoded. On an error all threads are stopped before it is thrown.
std::vector<Loss> run_plans(const std::vector<PlanOutput>& outputs, const PipelineOptions& options, Progress* progress,
                            const CancelToken* cancel, const GuidedRun* guided = nullptr);

}  // namespace hf2mlx
