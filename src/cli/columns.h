// Text in the columns of a terminal. All of it is UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hf2mlx::cli {

// Columns that text needs: East Asian wide characters and pictures take two, marks that join the character before them none.
size_t display_width(std::string_view text);

// With a "?" for whatever a terminal would obey or not show: control characters, changes of direction, what is no UTF-8.
std::string printable(std::string_view text);
// The same, but a list in the text keeps its lines. All but the first are indented, so that a line break in a name cannot begin what looks
// like a line of the program's.
std::string printable_lines(std::string_view text);
inline std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

// Not more than so many columns; what had to be cut ends in "…". Requires printable text.
std::string cut(std::string_view text, size_t columns);
// Cut, or filled up with blanks behind or before.
std::string fitted_left(std::string_view text, size_t columns);
std::string fitted_right(std::string_view text, size_t columns);

// Breaks at spaces so that no line is longer than `width`, where that is possible.
std::vector<std::string> wrap(std::string_view text, size_t width);

}  // namespace hf2mlx::cli
