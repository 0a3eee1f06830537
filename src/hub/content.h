// A part of what is sent to the hub.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "io/file.h"

namespace hf2mlx {

// A part of a file, which must outlive this. Not thread-safe: it is read by one connection.
class PartContent final : public Reader {
 public:
  // `advanced` is called with the bytes that are read for the first time: a part that is sent again does not count twice.
  PartContent(const Reader& file, uint64_t begin_bytes, uint64_t size_bytes, std::function<void(uint64_t bytes)> advanced)
      : file_(file), begin_bytes_(begin_bytes), size_bytes_(size_bytes), advanced_(std::move(advanced)) {}

  void read_at(uint64_t offset, std::span<std::byte> out) const override {
    file_.read_at(begin_bytes_ + offset, out);
    const uint64_t end = offset + out.size();
    if (end <= furthest_bytes_) return;
    advanced_(end - furthest_bytes_);
    furthest_bytes_ = end;
  }
  uint64_t size() const override { return size_bytes_; }
  const std::string& name() const override { return file_.name(); }

 private:
  const Reader& file_;
  const uint64_t begin_bytes_;
  const uint64_t size_bytes_;
  const std::function<void(uint64_t)> advanced_;
  mutable uint64_t furthest_bytes_ = 0;
};

}  // namespace hf2mlx
