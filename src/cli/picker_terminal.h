// A terminal that the picker is shown on. Only picker_terminal.cc knows the library that draws.
#pragma once

#include <memory>

#include "cli/picker_view.h"

namespace hf2mlx::cli {

enum class Colors { kNo, kYes };

struct TerminalEvent {
  enum Kind { kNothing, kKey, kResize, kInterrupt } kind = kNothing;
  KeyPress key = {};
};

// While it lives, the terminal is its own; afterwards all is as it was. At most one may exist.
class PickerTerminal {
 public:
  virtual ~PickerTerminal() = default;
  virtual Extent extent() const = 0;
  virtual void show(const Frame& frame) = 0;
  // Waits a moment.
  virtual TerminalEvent next() = 0;
};

// Null where the terminal cannot move its cursor, or is not known.
std::unique_ptr<PickerTerminal> open_picker_terminal(Colors colors);

}  // namespace hf2mlx::cli
