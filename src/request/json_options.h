// Options as a JSON object: {"q-bits": 8, "quantize": true} is `--q-bits=8 --quantize`.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "base/json.h"

namespace hf2mlx {

// The words of a command line that say what `options` says, in terms of what `app` declares. Keys are long options without dashes, or the
// name of what stands without an option, in small letters ("out"). A flag takes true or false; what has a value takes text or a number;
// what may be repeated, or lists values with commas, an array of them too. null, and false, are as good as no key. Throws Error{kUsage}: an
// unknown key, with the nearest known one, or a value of another kind.
std::vector<std::string> words_of(const Json& options, const CLI::App& app);

}  // namespace hf2mlx
