// Completion scripts for shells, generated from the declared commands and options.
#pragma once

#include <string>

namespace hf2mlx::cli {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace hf2mlx::cli
