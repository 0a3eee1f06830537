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

inline void scale_codes(const float* table, const uint8_t* codes, uint64_t count, const CodeScale& parameters, float* values) {
  const VF scale = hn::Set(DF(), parameters.scale);
  const VF zero = hn::Set(DF(), parameters.zero);
  for_lanes(
      count,
      [&](uint64_t i) HWY_ATTR {
        const VF numbers = hn::GatherIndex(DF(), table, load_indices(codes + i));
        hn::StoreU(hn::Mul(hn::Sub(numbers, zero), scale), DF(), values + i);
      },
      [&](uint64_t i, uint64_t n) HWY_ATTR {
        for (uint64_t k = i; k < i + n; ++k) values[k] = (table[codes[k]] - parameters.zero) * parameters.scale;
      });
}

inline void scale_grouped_codes(const float* table, const uint8_t* codes, uint64_t count, const CodeGroups& groups, float* values) {
  for_lanes(
      count,
      [&](uint64_t i) HWY_ATTR {
        const auto group = hn::LoadU(DI32(), groups.group_of + i);
        const VF numbers = hn::GatherIndex(DF(), table, load_indices(codes + i));
        const VF centred = hn::Sub(numbers, hn::GatherIndex(DF(), groups.zeros, group));
        hn::StoreU(hn::Mul(centred, hn::GatherIndex(DF(), groups.scales, group)), DF(), values + i);
      },
      [&](uint64_t i, uint64_t n) HWY_ATTR {
        for (uint64_t k = i; k < i + n; ++k) {
          const int32_t group = groups.group_of[k];
          values[k] = (table[codes[k]] - groups.zeros[group]) * groups.scales[group];
        }
      });
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
