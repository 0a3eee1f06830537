// What the picker looks like: its state as lines of styled text, for a terminal of any size.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/picker.h"

namespace hf2mlx::cli {

enum class Style { kPlain, kStrong, kSelected, kFaint, kGood, kWarning };

struct Span {
  std::string text;  // printable
  Style style = Style::kPlain;
};
using Line = std::vector<Span>;

struct Extent {
  size_t columns = 80;
  size_t rows = 24;
};

// Fits the extent: not more lines, none wider.
struct Frame {
  std::vector<Line> lines;
  struct Cursor {
    size_t row = 0;
    size_t column = 0;
  };
  std::optional<Cursor> cursor;  // where text is being edited
};

Frame draw(const Picker& picker, Extent extent);

// One line about a model: what it is, and how large.
std::string describe(const PickerModel& model);

}  // namespace hf2mlx::cli
