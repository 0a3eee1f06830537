// The texts of --help.
#pragma once

#include <string>

#include "cli/commands.h"

namespace hf2mlx::cli {

std::string general_help();
std::string command_help(const DeclaredCommand& declared);
std::string usage_line(const DeclaredCommand& declared);  // "hf2mlx convert MODEL [OUT] [OPTIONS]"

}  // namespace hf2mlx::cli
