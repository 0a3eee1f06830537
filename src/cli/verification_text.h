// What verify has found, for people.
#pragma once

#include <iosfwd>

#include "hf2mlx/verify.h"

namespace hf2mlx::cli {

void print_verification(std::ostream& out, const Verification& verification);

}  // namespace hf2mlx::cli
