// See text_field.h.
#include "cli/text_field.h"

namespace hf2mlx::cli {
namespace {

bool is_inside(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }  // of a code point

}  // namespace

size_t TextField::before() const {
  size_t at = cursor_;
  while (at > 0 && is_inside(text_[at - 1])) --at;
  return at == 0 ? 0 : at - 1;
}

size_t TextField::after() const {
  size_t at = cursor_ == text_.size() ? cursor_ : cursor_ + 1;
  while (at < text_.size() && is_inside(text_[at])) ++at;
  return at;
}

void TextField::insert(std::string_view text) {
  text_.insert(cursor_, text);
  cursor_ += text.size();
}

void TextField::erase_before() {
  const size_t begin = before();
  text_.erase(begin, cursor_ - begin);
  cursor_ = begin;
}

void TextField::erase_after() { text_.erase(cursor_, after() - cursor_); }
void TextField::left() { cursor_ = before(); }
void TextField::right() { cursor_ = after(); }

}  // namespace hf2mlx::cli
