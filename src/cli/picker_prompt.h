// The picker as numbered questions, for terminals that cannot move their cursor.
#pragma once

#include <iosfwd>

#include "cli/picker.h"

namespace hf2mlx::cli {

// Asks until the picker has an outcome. The end of the input leaves. All models must have been read.
void ask(Picker& picker, std::istream& in, std::ostream& out);

}  // namespace hf2mlx::cli
