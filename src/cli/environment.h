// What the program takes from its environment. Nothing else in the project reads an environment variable.
#pragma once

#include "hf2mlx/places.h"

namespace hf2mlx::cli {

struct Environment {
  Places places;
  bool no_color = false;       // NO_COLOR is set (https://no-color.org)
  bool dumb_terminal = false;  // TERM=dumb: no cursor movement
};

Environment read_environment(const Variables& variables, const HomeOf& home_of);

// Of the running process.
Environment process_environment();

}  // namespace hf2mlx::cli
