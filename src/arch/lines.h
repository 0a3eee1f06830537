// Indented text as a tree of lines, and the words of a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hf2mlx {

struct Line {
  int number = 0;
  std::string text;  // without indentation, comment and trailing blanks
  std::vector<Line> children;
};

// Deeper lines are children of the line above them. Throws Error{kInternal} on uneven indentation.
std::vector<Line> parse_lines(const std::string& name, std::string_view text);

// Takes words off a line. A word ends at a blank outside of braces.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) { skip(); }
  bool empty() const { return rest_.empty(); }
  std::string_view peek() const;
  std::string_view next();
  bool take(std::string_view word);  // only when it is the next one
  std::string_view& rest() { return rest_; }
  void skip();

 private:
  std::string_view rest_;
};

}  // namespace hf2mlx
