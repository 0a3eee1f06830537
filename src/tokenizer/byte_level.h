// How byte-level vocabularies write bytes as text, and base64.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hf2mlx {

// The form of GPT-2: printable Latin-1 bytes stand for themselves, the other 68 for U+0100 and what follows, in order.
std::string byte_level_text(std::string_view bytes);

// Nothing for what is not base64 with its padding.
std::optional<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

}  // namespace hf2mlx
