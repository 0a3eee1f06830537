// How byte-level vocabularies write bytes as text.
#pragma once

#include <string>
#include <string_view>

namespace hf2mlx {

// The form of GPT-2: printable Latin-1 bytes stand for themselves, the other 68 for U+0100 and what follows, in order.
std::string byte_level_text(std::string_view bytes);

}  // namespace hf2mlx
