// What the database of terminals says. See terminal.h. <term.h> makes macros of everyday words, so it is included here alone.
#include <curses.h>
#include <unistd.h>

#include "cli/terminal.h"
// After <curses.h>.
#include <term.h>

namespace hf2mlx::cli {

bool can_move_cursor() {
  int error = 0;
  if (setupterm(nullptr, STDOUT_FILENO, &error) != OK) return false;
  const char* address = tigetstr(const_cast<char*>("cup"));
  const bool can = address && address != reinterpret_cast<char*>(-1);
  del_curterm(cur_term);
  return can;
}

}  // namespace hf2mlx::cli
