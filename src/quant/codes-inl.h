// Unpacking and scaling of codes for one instruction set. See codes.h.
#include <cstring>

#include "quant/bit_pack-inl.h"
#include "quant/codes.h"
#include "quant/float_lanes-inl.h"

#if defined(HF2MLX_QUANT_CODES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HF2MLX_QUANT_CODES_INL_H_
#undef HF2MLX_QUANT_CODES_INL_H_
#else
#define HF2MLX_QUANT_CODES_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace hf2mlx {
namespace HWY_NAMESPACE {

// A block of packed and of unpacked codes, with room for whole vectors.
struct CodeBlock {
  alignas(64) uint8_t packed[kBlockCodes + kBlockPadding] = {};
  alignas(64) uint8_t codes[kBlockCodes + kBlockPadding] = {};
};

// Each 16 codes in another order: code i comes from places[i].
HF2MLX_STEP void reorder_codes(const uint8_t* places, size_t count, uint8_t* codes) {
  const hn::CappedTag<uint8_t, 16> d;
  const auto from = hn::LoadU(d, places);
  for (size_t i = 0; i < count; i += 16) hn::StoreU(hn::TableLookupBytes(hn::LoadU(d, codes + i), from), d, codes + i);
}

// `places`: null where they are in order.
inline void unpack_code_blocks(uint32_t bits, const uint8_t* places, const std::byte* packed, uint64_t count, std::byte* codes) {
  CodeBlock block;
  for (uint64_t begin = 0, n; begin < count; begin += n) {
    n = HWY_MIN(count - begin, uint64_t{kBlockCodes});
    std::memcpy(block.packed, packed + begin * bits / 8, n * bits / 8);
    unpack_block(bits, block.packed, n, block.codes);
    if (places != nullptr) reorder_codes(places, n, block.codes);
    std::memcpy(codes + begin, block.codes, n);
  }
}

inline void pack_code_blocks(uint32_t bits, const std::byte* codes, uint64_t count, std::byte* packed) {
  CodeBlock block;
  for (uint64_t begin = 0, n; begin < count; begin += n) {
    n = HWY_MIN(count - begin, uint64_t{kBlockCodes});
    std::memcpy(block.codes, codes + begin, n);
    pack_block(bits, block.codes, n);
    std::memcpy(packed + begin * bits / 8, block.codes, n * bits / 8);
  }
}

// change(vector) of every byte.
template <class Change>
HWY_INLINE void change_bytes(const uint8_t* in, uint64_t count, uint8_t* out, const Change& change) {
  const DU8 d;
  const size_t lanes = hn::Lanes(d);
  uint64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(change(hn::LoadU(d, in + i)), d, out + i);
  if (i == count) return;
  alignas(64) uint8_t rest[kBlockPadding] = {};
  std::memcpy(rest, in + i, count - i);
  hn::Store(change(hn::Load(d, rest)), d, rest);
  std::memcpy(out + i, rest, count - i);
}

inline void fields_of_bytes(uint32_t low, uint32_t bits, const uint8_t* bytes, uint64_t count, uint8_t* codes) {
  const auto mask = hn::Set(DU8(), static_cast<uint8_t>((1u << bits) - 1));
  // What a byte gets of its neighbour lies above the mask.
  change_bytes(bytes, count, codes, [&](VU8 v) HWY_ATTR {
    return hn::And(hn::BitCast(DU8(), hn::ShiftRightSame(hn::BitCast(DU16(), v), static_cast<int>(low))), mask);
  });
}

inline void add_and_wrap(uint32_t add, uint32_t bits, uint64_t count, uint8_t* codes) {
  const auto mask = hn::Set(DU8(), static_cast<uint8_t>((1u << bits) - 1));
  const auto addend = hn::Set(DU8(), static_cast<uint8_t>(add));
  change_bytes(codes, count, codes, [&](VU8 v) HWY_ATTR { return hn::And(hn::Add(v, addend), mask); });
}

HF2MLX_STEP hn::Vec<DI32> load_indices(const uint8_t* codes) {
  return hn::PromoteTo(DI32(), hn::LoadU(hn::Rebind<uint8_t, DI32>(), codes));
}

// Calls vector(i) for whole vectors and last(i, n) for what is left.
template <class Vector, class Last>
HWY_INLINE void for_lanes(uint64_t count, const Vector& vector, const Last& last) {
  const size_t lanes = hn::Lanes(DF());
  uint64_t i = 0;
  for (; i + lanes <= count; i += lanes) vector(i);
  if (i < count) last(i, count - i);
}

// The numbers that codes stand for: of a table, or the codes themselves.
struct FromTable {
  const float* table;
  HF2MLX_STEP VF vector(const uint8_t* codes) const { return hn::GatherIndex(DF(), table, load_indices(codes)); }
  float one(uint8_t code) const { return table[code]; }
};
struct AsTheyAre {
  HF2MLX_STEP VF vector(const uint8_t* codes) const { return hn::ConvertTo(DF(), load_indices(codes)); }
  float one(uint8_t code) const { return static_cast<float>(code); }
};

template <class Numbers>
HWY_INLINE void scale_numbers(const Numbers& numbers, const uint8_t* codes, uint64_t count, const CodeScale& parameters, float* values) {
  const VF scale = hn::Set(DF(), parameters.scale);
  const VF zero = hn::Set(DF(), parameters.zero);
  for_lanes(
      count, [&](uint64_t i) HWY_ATTR { hn::StoreU(hn::Mul(hn::Sub(numbers.vector(codes + i), zero), scale), DF(), values + i); },
      [&](uint64_t i, uint64_t n) HWY_ATTR {
        for (uint64_t k = i; k < i + n; ++k) values[k] = (numbers.one(codes[k]) - parameters.zero) * parameters.scale;
      });
}

template <class Numbers>
HWY_INLINE void scale_grouped_numbers(const Numbers& numbers, const uint8_t* codes, uint64_t count, const CodeGroups& groups,
                                      float* values) {
  for_lanes(
      count,
      [&](uint64_t i) HWY_ATTR {
        const auto group = hn::LoadU(DI32(), groups.group_of + i);
        const VF centred = hn::Sub(numbers.vector(codes + i), hn::GatherIndex(DF(), groups.zeros, group));
        hn::StoreU(hn::Mul(centred, hn::GatherIndex(DF(), groups.scales, group)), DF(), values + i);
      },
      [&](uint64_t i, uint64_t n) HWY_ATTR {
        for (uint64_t k = i; k < i + n; ++k) {
          const int32_t group = groups.group_of[k];
          values[k] = (numbers.one(codes[k]) - groups.zeros[group]) * groups.scales[group];
        }
      });
}

inline void scale_codes(const float* table, const uint8_t* codes, uint64_t count, const CodeScale& parameters, float* values) {
  if (table != nullptr) return scale_numbers(FromTable{table}, codes, count, parameters, values);
  scale_numbers(AsTheyAre{}, codes, count, parameters, values);
}

inline void scale_grouped_codes(const float* table, const uint8_t* codes, uint64_t count, const CodeGroups& groups, float* values) {
  if (table != nullptr) return scale_grouped_numbers(FromTable{table}, codes, count, groups, values);
  scale_grouped_numbers(AsTheyAre{}, codes, count, groups, values);
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
