// Reads little-endian numbers and short strings one after the other.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "io/file.h"

namespace hf2mlx {

// Throws Error{kCorrupt} where the file ends before what is read.
class Cursor {
 public:
  explicit Cursor(const Reader& file) : file_(file) {}

  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)), sizeof(T));
    return value;
  }
  std::string text(uint64_t length);  // of at most kMaxTextBytes
  void skip(uint64_t bytes);
  // So that a count is never believed: `count` things of at least `least_bytes` each must fit in what is left.
  void require_room(uint64_t count, uint64_t least_bytes, const char* what) const;

  uint64_t offset() const { return offset_; }
  uint64_t left() const { return file_.size() - offset_; }
  [[noreturn]] void fail(const std::string& found) const;

  static constexpr uint64_t kMaxTextBytes = 65536;

 private:
  const std::byte* take(uint64_t bytes);  // at most kMaxTextBytes

  const Reader& file_;
  uint64_t offset_ = 0;
  uint64_t window_begin_ = 0;
  std::vector<std::byte> window_;
};

}  // namespace hf2mlx
