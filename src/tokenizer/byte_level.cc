// See byte_level.h.
#include "tokenizer/byte_level.h"

#include <array>
#include <cstdint>

#include "tokenizer/utf8.h"

namespace hf2mlx {
namespace {

bool stands_for_itself(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

std::array<std::string, 256> make_byte_texts() {
  std::array<std::string, 256> texts;
  char32_t next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) append_utf8(texts[byte], stands_for_itself(byte) ? static_cast<char32_t>(byte) : next++);
  return texts;
}

}  // namespace

std::string byte_level_text(std::string_view bytes) {
  static const std::array<std::string, 256> kTexts = make_byte_texts();
  std::string out;
  for (const char byte : bytes) out += kTexts[static_cast<unsigned char>(byte)];
  return out;
}

}  // namespace hf2mlx
