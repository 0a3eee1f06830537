// Patterns over tensor names.
//
//   *            any characters, also none
//   {L}          digits (a capture whose name begins with a capital is a number)
//   {name}       one or more characters other than '.'
//   {name*}      any characters, also none
//   {name=a|b}   one of these
//
// A pattern covers the whole name. Where several matches are possible, the first capture is as short as it can be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "arch/expr.h"

namespace hf2mlx {

class Pattern {
 public:
  Pattern() = default;
  explicit Pattern(std::string_view text);

  bool matches(std::string_view name) const;
  // Sets the captures as variables of `scope`. Without a match `scope` is as before.
  bool match(std::string_view name, Scope& scope) const;
  // The captures in order of appearance.
  bool match(std::string_view name, std::vector<std::string_view>& captures) const;

  const std::string& text() const { return text_; }
  const std::vector<std::string>& capture_names() const { return capture_names_; }
  static bool is_number(std::string_view capture_name);

 private:
  enum class Kind { kLiteral, kAny, kDigits, kSegment, kChoice };
  struct Part {
    Kind kind;
    std::string literal;
    std::vector<std::string> choices;
    int capture = -1;  // index into capture_names_
  };

  void add_capture(std::string_view inside);
  void add_literal(std::string_view literal);
  bool match_from(size_t part, std::string_view rest, std::vector<std::string_view>& captures) const;
  bool match_run(size_t part, std::string_view rest, std::vector<std::string_view>& captures) const;

  std::string text_;
  std::vector<Part> parts_;
  std::vector<std::string> capture_names_;
};

// The value of a capture as expressions see it: an integer or a string.
Json capture_value(std::string_view name, std::string_view text);

}  // namespace hf2mlx
