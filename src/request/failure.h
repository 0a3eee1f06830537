// The end of a run that went wrong.
#pragma once

#include <exception>

#include "hf2mlx/error.h"

namespace hf2mlx {

// Whatever was thrown, as our own Error.
Error to_error(const std::exception_ptr& thrown);

}  // namespace hf2mlx
