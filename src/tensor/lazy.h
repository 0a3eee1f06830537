// A tensor that is not in memory: its dtype and shape are known, any range of its elements can be produced on demand.
//
// Checkpoint tensors are the leaves; the operations of src/transform/ wrap them. Nothing is read while a tensor is built, so a plan costs
// nothing but its headers. Values are row-major and little-endian. Immutable after construction and safe to read from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace hf2mlx {

class Reader;   // io/file.h
class Scratch;  // transform/scratch.h: one thread's bounded working memory

// A range of bytes of a file.
struct FileExtent {
  std::shared_ptr<const Reader> file;
  uint64_t offset_bytes;
  uint64_t size_bytes;
};

class LazyTensor {
 public:
  LazyTensor(Dtype dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {}
  virtual ~LazyTensor() = default;
  LazyTensor(const LazyTensor&) = delete;
  LazyTensor& operator=(const LazyTensor&) = delete;

  Dtype dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }

  // Writes elements [begin, begin + count) of the flattened tensor to `out`, which holds count * size_of(dtype()) bytes.
  virtual void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const = 0;

  // Where elements [begin, begin + n) lie in a file, just as read() would give them, for some n in 1..count; nullopt where element `begin`
  // is computed. So raw copies need no memory: a stack of experts has one extent for each expert. Requires: count > 0.
  virtual std::optional<FileExtent> stored_at(uint64_t /*begin*/, uint64_t /*count*/) const { return std::nullopt; }

  // How many elements one read should ask for, memory permitting: with fewer, the runs it finds in the file are so short that the calls
  // cost more than the copying. 0 where 256 KiB will do.
  virtual uint64_t preferred_count() const { return 0; }

  // The whole tensor as one range of a file, if it is one.
  std::optional<FileExtent> extent() const {
    const uint64_t count = element_count(shape_);
    std::optional<FileExtent> found = count == 0 ? std::nullopt : stored_at(0, count);
    return found && found->size_bytes == count * size_of(dtype_) ? found : std::nullopt;
  }

 private:
  Dtype dtype_;
  Shape shape_;
};

using TensorRef = std::shared_ptr<const LazyTensor>;

}  // namespace hf2mlx
