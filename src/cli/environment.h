// What the program takes from its environment. Nothing else in the project reads an environment variable.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "hf2mlx/options.h"

namespace hf2mlx::cli {

using Variables = std::map<std::string, std::string>;

struct Environment {
  std::filesystem::path home;            // of the user
  std::filesystem::path hub_cache;       // the Hugging Face hub cache
  HubOptions hub = {};                   // the token only where a variable holds it
  std::filesystem::path hub_token = {};  // the file that holds it otherwise; empty: no token is to be sent
  bool no_color = false;                 // NO_COLOR is set (https://no-color.org)
  bool dumb_terminal = false;            // TERM=dumb: no cursor movement
};

// The home folder of a user, of oneself for an empty name; none for an unknown user.
using HomeOf = std::function<std::optional<std::string>(const std::string& user)>;

// The cache is where huggingface_hub would look: HF_HUB_CACHE, else HUGGINGFACE_HUB_CACHE, else HF_HOME/hub, else
// XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub; "~" and "$VAR" in a value are expanded, and a variable that is set but
// empty counts as set. The other HF_ variables, too, are read as huggingface_hub reads them.
Environment read_environment(const Variables& variables, const HomeOf& home_of);

// Of the running process.
Environment process_environment();

// The environment's, with the token of the file.
HubOptions hub_options(const Environment& environment);

}  // namespace hf2mlx::cli
