// From an errno value to an Error.
#pragma once

#include <string>
#include <system_error>

#include "hf2mlx/error.h"

namespace hf2mlx {

// Error{kNotFound, kNoSpace or kIo, "<what>: <text of the errno value>"} with a hint that fits the value, unless one is given.
// `what` is "path: what was tried".
Error system_error(int error, const std::string& what, std::string hint = {});

// Does nothing when `error` is not set.
void throw_if(const std::error_code& error, const std::string& what);

}  // namespace hf2mlx
