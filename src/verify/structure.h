// All checks of a folder's structure, and what a conversion makes of them for its own output.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "arch/registry.h"
#include "hf2mlx/options.h"
#include "verify/checks.h"
#include "verify/folder.h"

namespace hf2mlx {

// `source` says how to read the folder as an architecture; its model is not looked at.
void check_structure(const ModelFolder& folder, const SourceOptions& source, const Registry& registry, Depth depth, Findings& findings);

// A folder that a conversion has just filled.
struct FilledFolder {
  std::filesystem::path path;
  std::string name;             // of the model
  const SourceOptions& source;  // what it was made of
  const Json& source_config;    // and its config.json
};

// What the user should know of it. An error in what we have made ourselves is an Error{kInternal}: nothing must become of such a folder.
// Takes milliseconds: no weights are read.
std::vector<std::string> notes_on_output(const FilledFolder& filled, const Registry& registry);

}  // namespace hf2mlx
