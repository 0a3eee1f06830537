#include "transform/scratch.h"

#include <fmt/format.h>

#include <new>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

constexpr uint64_t kAlignment = 64;

uint64_t rounded_up(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

Scratch::Scratch(uint64_t capacity_bytes)
    : memory_(static_cast<std::byte*>(::operator new (rounded_up(capacity_bytes), std::align_val_t{kAlignment}))),
      capacity_(rounded_up(capacity_bytes)) {}

Scratch::~Scratch() { ::operator delete (memory_, std::align_val_t{kAlignment}); }

uint64_t Scratch::free_bytes() const { return capacity_ - used_; }

Scratch::Block::Block(Scratch& scratch, uint64_t bytes)
    : scratch_(scratch), data_(scratch.memory_ + scratch.used_), size_(bytes), mark_(scratch.used_) {
  if (bytes > scratch.free_bytes()) {
    throw Error(ErrorCode::kInternal,
                fmt::format("scratch memory: {} bytes wanted, {} of {} are free", bytes, scratch.free_bytes(), scratch.capacity_),
                "give each thread more memory with --max-memory");
  }
  scratch.used_ += rounded_up(bytes);
}

Scratch::Block::~Block() { scratch_.used_ = mark_; }

}  // namespace hf2mlx
