// UTF-8, as far as vocabularies need it.
#pragma once

#include <string>
#include <string_view>

namespace hf2mlx {

// Whether `text` is valid UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

// Whether a character begins at text[at]; `text` is valid UTF-8.
inline bool begins_character(std::string_view text, size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80; }

void append_utf8(std::string& out, char32_t character);

}  // namespace hf2mlx
