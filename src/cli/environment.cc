// See environment.h.
#include "cli/environment.h"

namespace hf2mlx::cli {

Environment read_environment(const Variables& variables, const HomeOf& home_of) {
  const auto no_color = variables.find("NO_COLOR");
  const auto term = variables.find("TERM");
  return {.places = places_of(variables, home_of),
          .no_color = no_color != variables.end() && !no_color->second.empty(),
          .dumb_terminal = term != variables.end() && term->second == "dumb"};
}

}  // namespace hf2mlx::cli
