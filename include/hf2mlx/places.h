/// \file Where models are on a machine, as the programs of Hugging Face and LM Studio look for them. The library reads no environment: a
/// caller who wants what huggingface_hub would do hands its variables over. Silent and thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "hf2mlx/export.h"
#include "hf2mlx/options.h"

namespace hf2mlx {

/// Environment variables by name.
using Variables = std::map<std::string, std::string>;

/// The home folder of a user, of oneself for an empty name; none for an unknown user.
using HomeOf = std::function<std::optional<std::string>(const std::string& user)>;

struct Places {
  std::filesystem::path home;            ///< of the user
  std::filesystem::path hub_cache;       ///< the Hugging Face hub cache
  HubOptions hub = {};                   ///< the token only where a variable holds it
  std::filesystem::path hub_token = {};  ///< the file that holds it otherwise; empty: no token is to be sent
};

/// The cache is where huggingface_hub would look: HF_HUB_CACHE, else HUGGINGFACE_HUB_CACHE, else HF_HOME/hub, else
/// XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub; "~" and "$VAR" in a value are expanded, and a variable that is set but
/// empty counts as set. The other HF_ variables, too, are read as huggingface_hub reads them. `home_of` is asked where HOME is not set, and
/// for "~user"; without it such a path stays as it is. Reads no file, and throws only what `home_of` throws.
HF2MLX_API Places places_of(const Variables& variables, const HomeOf& home_of = {});

/// The hub's options, with the token of the file where there is one. Throws Error{kIo, kCorrupt} where that cannot be read, or is no
/// token.
HF2MLX_API HubOptions hub_options(const Places& places);

/// LM Studio's models folder for the user whose home is `user_home`, whether or not it exists yet: `downloadsFolder` of settings.json in LM
/// Studio's home, else `models` in that home, else ~/.cache/lm-studio/models of older versions where only that exists. LM Studio's home is
/// what ~/.lmstudio-home-pointer names, else ~/.lmstudio. Throws Error{kCorrupt, kIo} for a settings.json that is not JSON or cannot be
/// read: its models may be anywhere.
HF2MLX_API std::filesystem::path lm_studio_models(const std::filesystem::path& user_home);

}  // namespace hf2mlx
