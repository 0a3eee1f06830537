// In which order the source has what blocks are made of: blocks that follow it can be worked on while the source arrives.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "io/file.h"
#include "io/read_trace.h"
#include "pipeline/blocks.h"
#include "source/checkpoint.h"

namespace hf2mlx {

// Where the source has a block.
struct BlockSource {
  uint64_t position = 0;        // of the last part of it: its file and how far into that it begins, as one number that sorts
  std::vector<FileSpan> spans;  // that it reads near there
};

// Finds out by reading single elements of blocks while readers give no data (io/read_trace.h). That sees the first and the last element,
// and others between them where those are of different tensors; so what it finds may lack something, or be a little too much, and is for
// order and foresight, not for correctness. Not thread-safe.
class SourceOrder {
 public:
  // `files` in the order in which they are streamed; spans that lie further than `near_bytes` before a block's position or behind it are
  // left out, but for those of its main tensors.
  SourceOrder(const std::vector<StoredTensor>& tensors, const std::vector<const Reader*>& files, uint64_t near_bytes);

  BlockSource find(const Piece& block) const;

 private:
  struct Tensor {
    uint32_t file;
    uint64_t begin_bytes;
    uint64_t end_bytes;
    uint64_t size_bytes() const { return end_bytes - begin_bytes; }
  };
  // What one element is made of: parts of tensors.
  struct Part {
    const Tensor* tensor;
    uint64_t begin_bytes;
    uint64_t end_bytes;
  };
  using Sample = std::vector<Part>;

  Sample look_at(const Piece& block, uint64_t element) const;
  void look_between(const Piece& block, uint64_t begin, const Sample& first, uint64_t end, const Sample& last, int depth,
                    std::vector<Sample>& samples) const;
  static const Tensor* main_of(const Sample& sample);
  static std::vector<Part> join(const Piece& block, const std::vector<Sample>& samples);
  const Tensor* tensor_at(const Reader* reader, uint64_t offset) const;

  std::unordered_map<const Reader*, uint32_t> files_;
  std::vector<Tensor> tensors_;  // sorted by file and place
  const uint64_t near_bytes_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace hf2mlx
