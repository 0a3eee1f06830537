// An answer as text.
#pragma once

#include <fmt/format.h>

#include <string>

#include "hf2mlx/error.h"
#include "hub/session.h"

namespace hf2mlx {

// Larger ones are Error{kCorrupt}; `url` begins its message and must outlive this.
class TextBody final : public HubBody {
 public:
  explicit TextBody(const std::string& url) : url_(url) {}

  void begin(const HubAnswer&) override { text.clear(); }
  void append(std::span<const std::byte> data) override {
    constexpr size_t kMaxBytes = size_t{256} << 20;
    if (text.size() + data.size() > kMaxBytes) {
      throw Error(ErrorCode::kCorrupt, fmt::format("{}: more than {} bytes", url_, kMaxBytes), "check HF_ENDPOINT");
    }
    text.append(reinterpret_cast<const char*>(data.data()), data.size());
  }

  std::string text;

 private:
  const std::string& url_;
};

}  // namespace hf2mlx
