#include "imatrix/cursor.h"

#include <fmt/format.h>

#include <algorithm>

#include "hf2mlx/error.h"

namespace hf2mlx {

void Cursor::fail(const std::string& found) const {
  throw Error(ErrorCode::kCorrupt, fmt::format("{}: at byte {}, {}", file_.name(), offset_, found),
              "the file is damaged, or is no importance matrix of llama.cpp");
}

void Cursor::require_room(uint64_t count, uint64_t least_bytes, const char* what) const {
  if (count > left() / least_bytes) fail(fmt::format("{} {} found, more than the {} bytes that are left can hold", count, what, left()));
}

const std::byte* Cursor::take(uint64_t bytes) {
  if (bytes > left()) fail(fmt::format("{} bytes expected, {} are left", bytes, left()));
  const bool inside = offset_ >= window_begin_ && offset_ + bytes <= window_begin_ + window_.size();
  if (!inside) {
    window_.resize(std::min(left(), kMaxTextBytes));
    window_begin_ = offset_;
    file_.read_at(offset_, window_);
  }
  const std::byte* at = window_.data() + (offset_ - window_begin_);
  offset_ += bytes;
  return at;
}

std::string Cursor::text(uint64_t length) {
  if (length > kMaxTextBytes) fail(fmt::format("a name of {} bytes found, at most {} expected", length, kMaxTextBytes));
  const auto* at = reinterpret_cast<const char*>(take(length));
  return {at, at + length};
}

void Cursor::skip(uint64_t bytes) {
  if (bytes > left()) fail(fmt::format("{} bytes expected, {} are left", bytes, left()));
  offset_ += bytes;
}

}  // namespace hf2mlx
