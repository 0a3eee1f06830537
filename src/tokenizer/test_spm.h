// For tests: SentencePiece models, byte by byte.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace hf2mlx {

inline std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  return out + static_cast<char>(value);
}

inline std::string number_field(unsigned field, uint64_t value) { return varint(field << 3) + varint(value); }
inline std::string bytes_field(unsigned field, std::string_view bytes) {
  return varint(field << 3 | 2) + varint(bytes.size()).append(bytes);
}

// Types: 1 normal, 2 unknown, 3 control, 4 defined by the user, 6 byte.
inline std::string spm_piece(std::string_view text, float score = 0, unsigned type = 1) {
  std::string bits(4, '\0');
  std::memcpy(bits.data(), &score, 4);
  return bytes_field(1, bytes_field(1, text) + varint(2 << 3 | 5) + bits + number_field(3, type));
}

inline std::string spm_trainer(unsigned model_type, bool byte_fallback = false) {
  return bytes_field(2, number_field(3, model_type) + number_field(35, byte_fallback));
}

// <unk>, <s>, </s>, a, b, ab, abb
inline std::string small_spm() {
  return spm_piece("<unk>", 0, 2) + spm_piece("<s>", 0, 3) + spm_piece("</s>", 0, 3) + spm_piece("ab", -0.5F) + spm_piece("abb", -1) +
         spm_piece("a", -2) + spm_piece("b", -3) + spm_trainer(2) + bytes_field(3, number_field(3, 1) + number_field(4, 0));
}

}  // namespace hf2mlx
