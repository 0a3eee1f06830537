// Codes, one to a byte, to and from MLX's packed form: one little-endian stream of bits, the first code lowest, so that any eight codes
// are as many bytes as a code has bits. Per-target code.
#include <cstring>

#include "quant/float_lanes-inl.h"

#if defined(HF2MLX_QUANT_BIT_PACK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HF2MLX_QUANT_BIT_PACK_INL_H_
#undef HF2MLX_QUANT_BIT_PACK_INL_H_
#else
#define HF2MLX_QUANT_BIT_PACK_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace hf2mlx {
namespace HWY_NAMESPACE {

using DU64 = hn::Repartition<uint64_t, DF>;
using VU8 = hn::Vec<DU8>;
using VU64 = hn::Vec<DU64>;

// Codes are handled in blocks on the stack. Blocks have room for whole vectors behind the last code.
inline constexpr size_t kBlockCodes = 2048;
inline constexpr size_t kBlockPadding = 64;

// Codes of four bits: every byte of the packed form holds two.
HF2MLX_STEP void pack_nibbles(uint8_t* codes, size_t count) {
  const size_t lanes = hn::Lanes(DU8());
  for (size_t i = 0; i < count; i += 2 * lanes) {
    const VU16 a = load_bytes(DU16(), codes + i);
    const VU16 b = load_bytes(DU16(), codes + i + lanes);
    const VU8 low = hn::BitCast(DU8(), hn::Or(a, hn::ShiftRight<4>(a)));
    const VU8 high = hn::BitCast(DU8(), hn::Or(b, hn::ShiftRight<4>(b)));
    store_bytes(DU8(), hn::ConcatEven(DU8(), high, low), codes + i / 2);
  }
}

HF2MLX_STEP void unpack_nibbles(const uint8_t* packed, size_t count, uint8_t* codes) {
  const size_t lanes = hn::Lanes(DU16());
  for (size_t i = 0; i < count / 2; i += lanes) {
    const VU16 v = load_codes(packed + i);
    store_bytes(DU16(), hn::And(hn::Or(v, hn::ShiftLeft<4>(v)), hn::Set(DU16(), uint16_t{0x0F0F})), codes + 2 * i);
  }
}

// Eight codes, in the bytes of a lane, to the lower 8 * kBits bits of the lane.
template <int kBits>
HF2MLX_STEP VU64 gather_bits(VU8 codes) {
  const DU32 d32;
  const DU64 d64;
  const VU16 v16 = hn::BitCast(DU16(), codes);
  const VU32 pairs = hn::BitCast(d32, hn::Or(hn::And(v16, hn::Set(DU16(), uint16_t{0xFF})), hn::ShiftLeft<kBits>(hn::ShiftRight<8>(v16))));
  const VU64 quads = hn::BitCast(d64, hn::Or(hn::And(pairs, hn::Set(d32, 0xFFFFu)), hn::ShiftLeft<2 * kBits>(hn::ShiftRight<16>(pairs))));
  return hn::Or(hn::And(quads, hn::Set(d64, uint64_t{0xFFFFFFFF})), hn::ShiftLeft<4 * kBits>(hn::ShiftRight<32>(quads)));
}

// The reverse. What lies above the 8 * kBits bits is ignored.
template <int kBits>
HF2MLX_STEP VU8 scatter_bits(VU64 bits) {
  const DU32 d32;
  const DU64 d64;
  const VU64 low_quad = hn::And(bits, hn::Set(d64, (uint64_t{1} << (4 * kBits)) - 1));
  const VU32 quads = hn::BitCast(d32, hn::Or(low_quad, hn::ShiftLeft<32>(hn::ShiftRight<4 * kBits>(bits))));
  const VU32 low_pair = hn::And(quads, hn::Set(d32, (1u << (2 * kBits)) - 1));
  const VU16 pairs = hn::BitCast(DU16(), hn::Or(low_pair, hn::ShiftLeft<16>(hn::ShiftRight<2 * kBits>(quads))));
  const VU16 low_code = hn::And(pairs, hn::Set(DU16(), static_cast<uint16_t>((1 << kBits) - 1)));
  const VU16 codes = hn::Or(low_code, hn::ShiftLeft<8>(hn::ShiftRight<kBits>(pairs)));
  return hn::And(hn::BitCast(DU8(), codes), hn::Set(DU8(), static_cast<uint8_t>((1 << kBits) - 1)));
}

// For any width below eight: a lane for every eight codes, of which kBits bytes are kept.
template <int kBits>
HF2MLX_STEP void pack_codes(uint8_t* codes, size_t count) {
  alignas(64) uint64_t lanes[8];
  for (size_t i = 0; i < count; i += hn::Lanes(DU8())) {
    hn::Store(gather_bits<kBits>(load_bytes(DU8(), codes + i)), DU64(), lanes);
    for (size_t k = 0; k < hn::Lanes(DU64()); ++k) std::memcpy(codes + (i / 8 + k) * kBits, &lanes[k], sizeof(uint64_t));
  }
}

template <int kBits>
HF2MLX_STEP void unpack_codes(const uint8_t* packed, size_t count, uint8_t* codes) {
  alignas(64) uint64_t lanes[8];
  for (size_t i = 0; i < count; i += hn::Lanes(DU8())) {
    for (size_t k = 0; k < hn::Lanes(DU64()); ++k) std::memcpy(&lanes[k], packed + (i / 8 + k) * kBits, sizeof(uint64_t));
    store_bytes(DU8(), scatter_bits<kBits>(hn::Load(DU64(), lanes)), codes + i);
  }
}

// Packs `count` codes of a block where they are: its first count * bits / 8 bytes then hold the result. Writing stays behind reading.
inline void pack_block(uint32_t bits, uint8_t* codes, size_t count) {
  switch (bits) {
    case 1:
      return pack_codes<1>(codes, count);
    case 2:
      return pack_codes<2>(codes, count);
    case 3:
      return pack_codes<3>(codes, count);
    case 4:
      return pack_nibbles(codes, count);
    case 5:
      return pack_codes<5>(codes, count);
    case 6:
      return pack_codes<6>(codes, count);
    default:
      return;  // 8 bits are packed already
  }
}

// The reverse, from one block to another.
inline void unpack_block(uint32_t bits, const uint8_t* packed, size_t count, uint8_t* codes) {
  switch (bits) {
    case 1:
      return unpack_codes<1>(packed, count, codes);
    case 2:
      return unpack_codes<2>(packed, count, codes);
    case 3:
      return unpack_codes<3>(packed, count, codes);
    case 4:
      return unpack_nibbles(packed, count, codes);
    case 5:
      return unpack_codes<5>(packed, count, codes);
    case 6:
      return unpack_codes<6>(packed, count, codes);
    default:
      std::memcpy(codes, packed, count);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
