// Compiles codes-inl.h for every instruction set and calls the best one that this processor has.
#include "quant/codes.h"

#include <numeric>

#include "quant/hwy_compat.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/codes.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h:
#include "hwy/highway.h"
#include "quant/codes-inl.h"

#if HWY_ONCE
namespace hf2mlx {
namespace {

HWY_EXPORT(unpack_code_blocks);
HWY_EXPORT(pack_code_blocks);
HWY_EXPORT(fields_of_bytes);
HWY_EXPORT(add_and_wrap);
HWY_EXPORT(transpose_blocks);
HWY_EXPORT(number_runs);
HWY_EXPORT(number_groups);
HWY_EXPORT(scale_runs);

// Of sixteen codes, where each lies when they are counted from the lowest bits.
constexpr uint8_t kHighFirst4[16] = {1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14};
constexpr uint8_t kAwq4[16] = {0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15};
constexpr uint8_t kAwq8[16] = {0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15};

const uint8_t* places_of(uint32_t bits, CodeOrder order) {
  if (order == CodeOrder::kInOrder) return nullptr;
  if (order == CodeOrder::kHighFirst) return kHighFirst4;
  return bits == 4 ? kAwq4 : kAwq8;
}

}  // namespace

bool has_codes(uint32_t bits, CodeOrder order) noexcept {
  if (order == CodeOrder::kHighFirst) return bits == 4;
  if (order == CodeOrder::kAwq) return bits == 4 || bits == 8;
  return bits >= 2 && bits <= 8 && bits != 7;
}

uint32_t codes_of_unit(uint32_t bits, CodeOrder order) noexcept {
  if (order == CodeOrder::kAwq) return 32 / bits;
  return 8 / std::gcd(8u, bits);
}

void unpack_codes(uint32_t bits, CodeOrder order, const std::byte* packed, uint64_t count, std::byte* codes) {
  HWY_DYNAMIC_DISPATCH(unpack_code_blocks)(bits, places_of(bits, order), packed, count, codes);
}

void pack_codes(uint32_t bits, const std::byte* codes, uint64_t count, std::byte* packed) {
  HWY_DYNAMIC_DISPATCH(pack_code_blocks)(bits, codes, count, packed);
}

void codes_in_bytes(uint32_t low, uint32_t bits, const std::byte* bytes, uint64_t count, std::byte* codes) {
  HWY_DYNAMIC_DISPATCH(fields_of_bytes)
  (low, bits, reinterpret_cast<const uint8_t*>(bytes), count, reinterpret_cast<uint8_t*>(codes));
}

void add_to_codes(uint32_t add, uint32_t bits, uint64_t count, std::byte* codes) {
  HWY_DYNAMIC_DISPATCH(add_and_wrap)(add, bits, count, reinterpret_cast<uint8_t*>(codes));
}

void transpose_codes(uint32_t bits, const std::byte* blocks, uint64_t count, std::byte* const* rows) {
  HWY_DYNAMIC_DISPATCH(transpose_blocks)(bits, blocks, count, rows);
}

void values_of_codes(const CodeTable& table, const std::byte* codes, uint64_t count, const CodeRuns& runs, float* values) {
  HWY_DYNAMIC_DISPATCH(number_runs)(table, reinterpret_cast<const uint8_t*>(codes), count, runs, values);
}

void values_of_codes(const CodeTable& table, const std::byte* codes, uint64_t count, const CodeGroups& groups, float* values) {
  HWY_DYNAMIC_DISPATCH(number_groups)(table, reinterpret_cast<const uint8_t*>(codes), count, groups, values);
}

void scale_values(uint64_t count, const CodeRuns& runs, float* values) { HWY_DYNAMIC_DISPATCH(scale_runs)(count, runs, values); }

}  // namespace hf2mlx
#endif  // HWY_ONCE
