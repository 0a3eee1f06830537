// hf2mlx alone on a terminal: lets the user choose a model of the Hugging Face cache, a quantization and a place.
#pragma once

#include <string>
#include <vector>

#include "cli/console.h"

namespace hf2mlx::cli {

// The words of the command line that does what was chosen; it is shown, and becomes context.command_line. Empty, with the exit status of an
// interruption in the context, where the user left. Throws Error{kNotFound} for an empty cache.
std::vector<std::string> pick(Context& context);

}  // namespace hf2mlx::cli
