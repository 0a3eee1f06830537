// Integer codes as other tools than MLX pack them, and the numbers that they stand for. SIMD with run-time dispatch.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hf2mlx {

// How codes lie in their words: from the lowest bits on; the first of two in the higher half of a byte; or as AutoAWQ interleaves a word.
enum class CodeOrder : uint8_t { kInOrder, kHighFirst, kAwq };

// Whether unpack_codes has this order of codes of so many bits.
bool has_codes(uint32_t bits, CodeOrder order) noexcept;
// Codes that make up whole bytes and whole units of interleaving. Requires: has_codes.
uint32_t codes_of_unit(uint32_t bits, CodeOrder order) noexcept;
// `count` codes, a multiple of codes_of_unit, one to a byte. `packed` and `codes` need no alignment and must not overlap.
void unpack_codes(uint32_t bits, CodeOrder order, const std::byte* packed, uint64_t count, std::byte* codes);
// The reverse of kInOrder. What codes have above `bits` bits must be zero.
void pack_codes(uint32_t bits, const std::byte* codes, uint64_t count, std::byte* packed);
// `bits` bits of each byte, from bit `low` on. Requires: low + bits <= 8. `codes` may be `bytes`.
void codes_in_bytes(uint32_t low, uint32_t bits, const std::byte* bytes, uint64_t count, std::byte* codes);
// (code + add) modulo 2^bits for each byte, in place.
void add_to_codes(uint32_t add, uint32_t bits, uint64_t count, std::byte* codes);

// Square blocks of codes, transposed: `count` blocks of 32 / bits words, each of which has as many codes of 4 or 8 bits. In rows[place]
// lies afterwards, for each block, the word of the codes that were at `place` of its words, in the order of these. No pointer needs
// alignment.
void transpose_codes(uint32_t bits, const std::byte* blocks, uint64_t count, std::byte* const* rows);

// What codes stand for: numbers of a table, or themselves where there is none.
struct CodeTable {
  const float* numbers;  // 256 of them; null: none
  uint32_t size;         // codes are less than this
};
// values[i] = (number of codes[i] - zero) * scale, in float32 without fusing. Scale and zero point are those of the group of `group_size`
// codes that each lies in; the first code is the `skew`-th of the groups.
struct CodeRuns {
  uint64_t group_size;
  uint64_t skew;
  const float* scales;
  const float* zeros;
};
void values_of_codes(const CodeTable& table, const std::byte* codes, uint64_t count, const CodeRuns& runs, float* values);
// The same where group_of[i] >= 0 says which group each code belongs to.
struct CodeGroups {
  const int32_t* group_of;
  const float* scales;
  const float* zeros;
};
void values_of_codes(const CodeTable& table, const std::byte* codes, uint64_t count, const CodeGroups& groups, float* values);
// values[i] = values[i] * scale of its group; the zero points are not looked at.
void scale_values(uint64_t count, const CodeRuns& runs, float* values);

}  // namespace hf2mlx
