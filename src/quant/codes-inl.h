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

// Exchanges the upper kBits bits of each 2 * kBits bits of `a` with the lower ones of `b`.
template <int kBits>
HF2MLX_STEP void exchange_bits(uint32_t mask, VU32& a, VU32& b) {
  const VU32 differing = hn::And(hn::Xor(hn::ShiftRight<kBits>(a), b), hn::Set(DU32(), mask));
  a = hn::Xor(a, hn::ShiftLeft<kBits>(differing));
  b = hn::Xor(b, differing);
}

// A vector for each word of a block, with a lane for each of as many blocks.
HF2MLX_STEP void transpose_lanes(const uint32_t* in, VU32& w0, VU32& w1, VU32& w2, VU32& w3) {
  hn::LoadInterleaved4(DU32(), in, w0, w1, w2, w3);
  exchange_bits<16>(0xFFFF, w0, w2);
  exchange_bits<16>(0xFFFF, w1, w3);
  exchange_bits<8>(0xFF00FF, w0, w1);
  exchange_bits<8>(0xFF00FF, w2, w3);
}

// The same for blocks of eight words: of every two blocks, one load gets the first and the second half by turns.
HF2MLX_STEP void transpose_lanes(const uint32_t* in, VU32& w0, VU32& w1, VU32& w2, VU32& w3, VU32& w4, VU32& w5, VU32& w6, VU32& w7) {
  const DU32 d;
  VU32 a0, a1, a2, a3, b0, b1, b2, b3;
  hn::LoadInterleaved4(d, in, a0, a1, a2, a3);
  hn::LoadInterleaved4(d, in + 4 * hn::Lanes(d), b0, b1, b2, b3);
  w0 = hn::ConcatEven(d, b0, a0), w4 = hn::ConcatOdd(d, b0, a0);
  w1 = hn::ConcatEven(d, b1, a1), w5 = hn::ConcatOdd(d, b1, a1);
  w2 = hn::ConcatEven(d, b2, a2), w6 = hn::ConcatOdd(d, b2, a2);
  w3 = hn::ConcatEven(d, b3, a3), w7 = hn::ConcatOdd(d, b3, a3);
  exchange_bits<16>(0xFFFF, w0, w4), exchange_bits<16>(0xFFFF, w1, w5), exchange_bits<16>(0xFFFF, w2, w6),
      exchange_bits<16>(0xFFFF, w3, w7);
  exchange_bits<8>(0xFF00FF, w0, w2), exchange_bits<8>(0xFF00FF, w1, w3), exchange_bits<8>(0xFF00FF, w4, w6),
      exchange_bits<8>(0xFF00FF, w5, w7);
  exchange_bits<4>(0xF0F0F0F, w0, w1), exchange_bits<4>(0xF0F0F0F, w2, w3), exchange_bits<4>(0xF0F0F0F, w4, w5),
      exchange_bits<4>(0xF0F0F0F, w6, w7);
}

// A vector's worth of blocks at `in`; row k of the result, at out + k * Lanes, holds what was at place k.
HF2MLX_STEP void transpose_vector(uint32_t bits, const uint32_t* in, uint32_t* out) {
  const DU32 d;
  const size_t lanes = hn::Lanes(d);
  VU32 w0, w1, w2, w3, w4, w5, w6, w7;
  if (bits == 4)
    transpose_lanes(in, w0, w1, w2, w3, w4, w5, w6, w7);
  else
    transpose_lanes(in, w0, w1, w2, w3);
  hn::StoreU(w0, d, out), hn::StoreU(w1, d, out + lanes), hn::StoreU(w2, d, out + 2 * lanes), hn::StoreU(w3, d, out + 3 * lanes);
  if (bits != 4) return;
  hn::StoreU(w4, d, out + 4 * lanes), hn::StoreU(w5, d, out + 5 * lanes), hn::StoreU(w6, d, out + 6 * lanes),
      hn::StoreU(w7, d, out + 7 * lanes);
}

inline void transpose_blocks(uint32_t bits, const std::byte* blocks, uint64_t count, std::byte* const* rows) {
  constexpr size_t kMostLanes = kBlockPadding / sizeof(uint32_t);
  alignas(64) uint32_t in[8 * kMostLanes] = {}, out[8 * kMostLanes];
  const size_t lanes = hn::Lanes(DU32());
  const size_t places = 32 / bits;
  for (uint64_t done = 0, n; done < count; done += n) {
    n = HWY_MIN(count - done, uint64_t{lanes});
    std::memcpy(in, blocks + done * places * sizeof(uint32_t), n * places * sizeof(uint32_t));
    transpose_vector(bits, in, out);
    for (size_t k = 0; k < places; ++k) std::memcpy(rows[k] + done * sizeof(uint32_t), out + k * lanes, n * sizeof(uint32_t));
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

inline constexpr size_t kSmallTable = 16;

// The bytes of sixteen numbers: plane k has byte k of each, so that a vector of codes looks up a byte of each number at a time.
struct BytePlanes {
  alignas(16) uint8_t bytes[4][kSmallTable] = {};
};

inline BytePlanes planes_of(const CodeTable& table) {
  BytePlanes planes;
  for (size_t i = 0; i < HWY_MIN(size_t{table.size}, kSmallTable); ++i) {
    uint8_t number[sizeof(float)];
    std::memcpy(number, &table.numbers[i], sizeof number);
    for (size_t k = 0; k < sizeof number; ++k) planes.bytes[k][i] = number[k];
  }
  return planes;
}

// Sixteen numbers of as many codes below sixteen.
HF2MLX_STEP void look_up(const BytePlanes& planes, const uint8_t* codes, float* numbers) {
  const hn::CappedTag<uint8_t, 16> d8;
  const hn::Repartition<uint16_t, decltype(d8)> d16;
  const hn::Repartition<float, decltype(d8)> df;
  const auto v = hn::LoadU(d8, codes);
  const auto plane = [&](size_t k) HWY_ATTR { return hn::TableLookupBytes(hn::Load(d8, planes.bytes[k]), v); };
  const auto b0 = plane(0), b1 = plane(1), b2 = plane(2), b3 = plane(3);
  const auto low01 = hn::BitCast(d16, hn::InterleaveLower(d8, b0, b1)), low23 = hn::BitCast(d16, hn::InterleaveLower(d8, b2, b3));
  const auto high01 = hn::BitCast(d16, hn::InterleaveUpper(d8, b0, b1)), high23 = hn::BitCast(d16, hn::InterleaveUpper(d8, b2, b3));
  hn::StoreU(hn::BitCast(df, hn::InterleaveLower(d16, low01, low23)), df, numbers);
  hn::StoreU(hn::BitCast(df, hn::InterleaveUpper(d16, low01, low23)), df, numbers + 4);
  hn::StoreU(hn::BitCast(df, hn::InterleaveLower(d16, high01, high23)), df, numbers + 8);
  hn::StoreU(hn::BitCast(df, hn::InterleaveUpper(d16, high01, high23)), df, numbers + 12);
}

inline void look_up_all(const CodeTable& table, const uint8_t* codes, uint64_t count, float* numbers) {
  const BytePlanes planes = planes_of(table);
  uint64_t i = 0;
  for (; i + kSmallTable <= count; i += kSmallTable) look_up(planes, codes + i, numbers + i);
  if (i == count) return;
  uint8_t rest[kSmallTable] = {};
  float found[kSmallTable];
  std::memcpy(rest, codes + i, count - i);
  look_up(planes, rest, found);
  std::memcpy(numbers + i, found, (count - i) * sizeof(float));
}

// What codes stand for.
HWY_INLINE void numbers_of(const CodeTable& table, const uint8_t* codes, uint64_t count, float* numbers) {
  if (table.numbers != nullptr && table.size <= kSmallTable) return look_up_all(table, codes, count, numbers);
  if (table.numbers != nullptr) {
    return for_lanes(
        count, [&](uint64_t i) HWY_ATTR { hn::StoreU(hn::GatherIndex(DF(), table.numbers, load_indices(codes + i)), DF(), numbers + i); },
        [&](uint64_t i, uint64_t n) {
          for (uint64_t k = i; k < i + n; ++k) numbers[k] = table.numbers[codes[k]];
        });
  }
  for_lanes(
      count, [&](uint64_t i) HWY_ATTR { hn::StoreU(hn::ConvertTo(DF(), load_indices(codes + i)), DF(), numbers + i); },
      [&](uint64_t i, uint64_t n) {
        for (uint64_t k = i; k < i + n; ++k) numbers[k] = static_cast<float>(codes[k]);
      });
}

// use(first, n, group) for the runs of `count` values that lie in one group each.
template <class Use>
HWY_INLINE void for_runs(uint64_t count, const CodeRuns& runs, const Use& use) {
  uint64_t group = runs.skew / runs.group_size;
  uint64_t left = runs.group_size - runs.skew % runs.group_size;
  for (uint64_t i = 0; i < count; ++group) {
    const uint64_t n = HWY_MIN(left, count - i);
    use(i, n, group);
    i += n;
    left = runs.group_size;
  }
}

inline void number_runs(const CodeTable& table, const uint8_t* codes, uint64_t count, const CodeRuns& runs, float* values) {
  numbers_of(table, codes, count, values);
  for_runs(count, runs, [&](uint64_t first, uint64_t n, uint64_t group) HWY_ATTR {
    const VF scale = hn::Set(DF(), runs.scales[group]);
    const VF zero = hn::Set(DF(), runs.zeros[group]);
    float* run = values + first;
    for_lanes(
        n, [&](uint64_t i) HWY_ATTR { hn::StoreU(hn::Mul(hn::Sub(hn::LoadU(DF(), run + i), zero), scale), DF(), run + i); },
        [&](uint64_t i, uint64_t rest) {
          for (uint64_t k = i; k < i + rest; ++k) run[k] = (run[k] - runs.zeros[group]) * runs.scales[group];
        });
  });
}

inline void scale_runs(uint64_t count, const CodeRuns& runs, float* values) {
  for_runs(count, runs, [&](uint64_t first, uint64_t n, uint64_t group) HWY_ATTR {
    const VF scale = hn::Set(DF(), runs.scales[group]);
    float* run = values + first;
    for_lanes(
        n, [&](uint64_t i) HWY_ATTR { hn::StoreU(hn::Mul(hn::LoadU(DF(), run + i), scale), DF(), run + i); },
        [&](uint64_t i, uint64_t rest) {
          for (uint64_t k = i; k < i + rest; ++k) run[k] *= runs.scales[group];
        });
  });
}

inline void number_groups(const CodeTable& table, const uint8_t* codes, uint64_t count, const CodeGroups& groups, float* values) {
  numbers_of(table, codes, count, values);
  for_lanes(
      count,
      [&](uint64_t i) HWY_ATTR {
        const auto group = hn::LoadU(DI32(), groups.group_of + i);
        const VF centred = hn::Sub(hn::LoadU(DF(), values + i), hn::GatherIndex(DF(), groups.zeros, group));
        hn::StoreU(hn::Mul(centred, hn::GatherIndex(DF(), groups.scales, group)), DF(), values + i);
      },
      [&](uint64_t i, uint64_t n) {
        for (uint64_t k = i; k < i + n; ++k) {
          const int32_t group = groups.group_of[k];
          values[k] = (values[k] - groups.zeros[group]) * groups.scales[group];
        }
      });
}

}  // namespace HWY_NAMESPACE
}  // namespace hf2mlx
HWY_AFTER_NAMESPACE();

#endif  // per-target include
