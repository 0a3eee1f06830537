// What quantizing has changed, as one HTML page: a picture of all layers by kind, one for each kind, and the table. The page stands alone:
// it loads nothing and runs nothing.
#pragma once

#include <string>

#include "hf2mlx/verify.h"

namespace hf2mlx::cli {

std::string error_page(const Verification& verification);

}  // namespace hf2mlx::cli
