#include "transform/strided_copy.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hf2mlx {
namespace {

constexpr uint32_t kNone = kMaxRank;

// Squares of 32 x 32 elements are turned in buffers of their own: where rows lie a power of two apart, their lines would push each other
// out of the cache, and so each is read and written as a whole, once.
constexpr uint64_t kTile = 32;

template <class T>
void move_element(const std::byte* in, std::byte* out) {
  T value;
  std::memcpy(&value, in, sizeof value);
  std::memcpy(out, &value, sizeof value);
}

// `down` steps by one element in the output, `across` by one in the input.
template <class T>
void transpose_tile(const std::byte* in, std::byte* out, const BoxAxis& down, const BoxAxis& across) {
  constexpr int64_t kBytes = sizeof(T);
  T read[kTile][kTile];
  T turned[kTile][kTile];
  for (uint64_t d = 0; d < down.size; ++d) {
    std::memcpy(read[d], in + static_cast<int64_t>(d) * down.in_stride * kBytes, across.size * sizeof(T));
  }
  for (uint64_t d = 0; d < down.size; ++d) {
    for (uint64_t a = 0; a < across.size; ++a) turned[a][d] = read[d][a];
  }
  for (uint64_t a = 0; a < across.size; ++a) {
    std::memcpy(out + static_cast<int64_t>(a) * across.out_stride * kBytes, turned[a], down.size * sizeof(T));
  }
}

template <class T>
void transpose(const std::byte* in, std::byte* out, const BoxAxis& down, const BoxAxis& across) {
  constexpr int64_t kBytes = sizeof(T);
  for (uint64_t d = 0; d < down.size; d += kTile) {
    for (uint64_t a = 0; a < across.size; a += kTile) {
      const BoxAxis tile_down{std::min(kTile, down.size - d), down.in_stride, 1};
      const BoxAxis tile_across{std::min(kTile, across.size - a), 1, across.out_stride};
      transpose_tile<T>(in + (static_cast<int64_t>(d) * down.in_stride + static_cast<int64_t>(a)) * kBytes,
                        out + (static_cast<int64_t>(a) * across.out_stride + static_cast<int64_t>(d)) * kBytes, tile_down, tile_across);
    }
  }
}

template <class T>
void copy_line(const std::byte* in, std::byte* out, const BoxAxis& axis) {
  if (axis.in_stride == 1 && axis.out_stride == 1) {
    std::memcpy(out, in, axis.size * sizeof(T));
    return;
  }
  for (uint64_t i = 0; i < axis.size; ++i) {
    move_element<T>(in, out);
    in += axis.in_stride * static_cast<int64_t>(sizeof(T));
    out += axis.out_stride * static_cast<int64_t>(sizeof(T));
  }
}

uint32_t unit_axis(const Box& box, int64_t BoxAxis::*stride) {
  for (uint32_t i = 0; i < box.rank; ++i) {
    if (box.axes[i].*stride == 1) return i;
  }
  return kNone;
}

template <class T>
void copy_box(Box box, const std::byte* in, std::byte* out) {
  constexpr int64_t kBytes = sizeof(T);
  if (box.rank == 0) box.push({1, 1, 1});
  const uint32_t from = unit_axis(box, &BoxAxis::in_stride);
  const uint32_t to = unit_axis(box, &BoxAxis::out_stride);
  if (from != kNone && to != kNone && from != to) {
    const BoxAxis down = box.axes[to];
    const BoxAxis across = box.axes[from];
    std::copy(box.axes.begin() + std::max(from, to) + 1, box.axes.begin() + box.rank, box.axes.begin() + std::max(from, to));
    std::copy(box.axes.begin() + std::min(from, to) + 1, box.axes.begin() + box.rank - 1, box.axes.begin() + std::min(from, to));
    for_each_offset(box, box.rank - 2, [&](int64_t i, int64_t o) { transpose<T>(in + i * kBytes, out + o * kBytes, down, across); });
    return;
  }
  if (to != kNone) std::swap(box.axes[to], box.axes[box.rank - 1]);
  const BoxAxis line = box.axes[box.rank - 1];
  for_each_offset(box, box.rank - 1, [&](int64_t i, int64_t o) { copy_line<T>(in + i * kBytes, out + o * kBytes, line); });
}

}  // namespace

void strided_copy(uint64_t element_bytes, const Box& box, const std::byte* in, std::byte* out) {
  switch (element_bytes) {
    case 1:
      return copy_box<uint8_t>(box, in, out);
    case 2:
      return copy_box<uint16_t>(box, in, out);
    case 4:
      return copy_box<uint32_t>(box, in, out);
    default:
      return copy_box<uint64_t>(box, in, out);
  }
}

}  // namespace hf2mlx
