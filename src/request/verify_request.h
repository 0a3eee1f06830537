// The options of a verification, as a command line or a JSON object names them.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "hf2mlx/places.h"
#include "hf2mlx/verify.h"

namespace hf2mlx {

struct VerifyArguments {
  std::vector<std::string> folders;  // more than one is an error
  std::string source;
  std::string arch;
  std::string arch_dir;
  std::optional<unsigned> threads;
  std::string max_memory;
  bool error = false;
};
void declare_verify(CLI::App& app, VerifyArguments& arguments);

// Throws Error{kUsage} unless exactly one folder is named, and for options that make no sense together.
VerifyOptions verify_options(const VerifyArguments& arguments, const Places& places);

}  // namespace hf2mlx
