// README.md of the output: the source card's metadata with what MLX adds to it, and how the model came about and is used.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "source/checkpoint.h"
#include "writer/model_folder.h"

namespace hf2mlx {

// Text of the card. `source_card` is the source's README.md, or empty. Metadata that cannot be read is left out, and a note says so.
std::string model_card(const Checkpoint& checkpoint, const WriterInput& input, std::string_view source_card,
                       std::vector<std::string>& notes);

}  // namespace hf2mlx
