// One thread's working memory: a stack of blocks inside one allocation, so that no operation can grow without bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hf2mlx {

class Scratch {
 public:
  explicit Scratch(uint64_t capacity_bytes);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  uint64_t free_bytes() const;

  // A 64-byte aligned block that is given back when it goes out of scope. Blocks are given back in reverse order of taking.
  class Block {
   public:
    Block(Scratch& scratch, uint64_t bytes);  // throws Error{kInternal} when the scratch is exhausted
    ~Block();
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    std::byte* data() const { return data_; }
    std::span<std::byte> span() const { return {data_, size_}; }

   private:
    Scratch& scratch_;
    std::byte* data_;
    uint64_t size_;
    uint64_t mark_;
  };

 private:
  friend class Block;
  std::byte* memory_;
  uint64_t capacity_;
  uint64_t used_ = 0;
};

}  // namespace hf2mlx
