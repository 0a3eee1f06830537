// A line of text that is being edited.
#pragma once

#include <string>
#include <string_view>

namespace hf2mlx::cli {

// UTF-8; the cursor stands between two code points.
class TextField {
 public:
  explicit TextField(std::string text = {}) : text_(std::move(text)), cursor_(text_.size()) {}

  const std::string& text() const { return text_; }
  size_t cursor() const { return cursor_; }  // the byte that it stands before

  void insert(std::string_view text);
  void erase_before();  // a code point
  void erase_after();
  void left();
  void right();
  void home() { cursor_ = 0; }
  void end() { cursor_ = text_.size(); }

 private:
  size_t before() const;
  size_t after() const;

  std::string text_;
  size_t cursor_ = 0;
};

}  // namespace hf2mlx::cli
