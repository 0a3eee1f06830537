// Bytes in memory, read like a file.
#pragma once

#include <cstring>
#include <string>
#include <utility>

#include "hf2mlx/error.h"
#include "io/file.h"

namespace hf2mlx {

class TextReader final : public Reader {
 public:
  explicit TextReader(std::string text, std::string name = "text") : text_(std::move(text)), name_(std::move(name)) {}

  void read_at(uint64_t offset, std::span<std::byte> out) const override {
    if (offset > text_.size() || out.size() > text_.size() - offset) {
      throw Error(ErrorCode::kCorrupt, name_ + ": ends at byte " + std::to_string(text_.size()) + ", expected " +
                                           std::to_string(out.size()) + " bytes at offset " + std::to_string(offset));
    }
    std::memcpy(out.data(), text_.data() + offset, out.size());
  }
  uint64_t size() const override { return text_.size(); }
  const std::string& name() const override { return name_; }

 private:
  const std::string text_;
  const std::string name_;
};

}  // namespace hf2mlx
