// Random access to bytes, wherever they come from. Everything that reads weights reads through this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace hf2mlx {

// Thread-safe: any number of threads may call read_at at once.
class Reader {
 public:
  virtual ~Reader() = default;
  // Fills all of `out` from `offset`, or throws Error (kIo; kCorrupt when the file ends before). Retries EINTR and short reads.
  virtual void read_at(uint64_t offset, std::span<std::byte> out) const = 0;
  virtual uint64_t size() const = 0;
  virtual const std::string& name() const = 0;  // for messages: a path or an address
};

// Thread-safe for disjoint ranges.
class Writer {
 public:
  virtual ~Writer() = default;
  // Writes all of `data` at `offset`, or throws Error (kIo, kNoSpace).
  virtual void write_at(uint64_t offset, std::span<const std::byte> data) = 0;
  virtual void sync() = 0;  // durable when it returns
};

}  // namespace hf2mlx
