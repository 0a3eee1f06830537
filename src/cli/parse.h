// From the words of a command line to something that can be run.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "cli/commands.h"

namespace hf2mlx::cli {

enum class Action { kRun, kHelp, kGeneralHelp, kVersion, kNoCommand };

struct Invocation {
  Action action = Action::kRun;
  std::unique_ptr<DeclaredCommand> declared;  // for kRun and kHelp

  void perform(Context& context) const;
};

// Throws Error{kUsage}. Options without a command mean convert: that is how mlx_lm.convert is called.
Invocation parse(std::span<const std::string> words);

// Whether a result, or an error, is to be printed as JSON: known even where the rest of the command line is wrong.
bool wants_json(std::span<const std::string> words);

}  // namespace hf2mlx::cli
