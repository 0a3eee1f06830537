// Where the program writes: results to `out`, everything else to `err`.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "cli/environment.h"
#include "hf2mlx/error.h"

namespace hf2mlx::cli {

enum class Quiet { kNo, kYes };

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool err_has_color = false;
  bool err_moves_cursor = false;  // a line can be redrawn

  void note(std::string_view line) const;
  void error(const Error& error) const;
};

// What every command is given.
struct Context {
  Console console;
  Environment environment;
  std::string command_line;  // as a shell would read it
  int exit_status = 0;       // of a command that ends with a result of which the status is a part
};

// The context of the running process; results go to `out`.
Context process_context(std::ostream& out, int argc, char** argv);

}  // namespace hf2mlx::cli
