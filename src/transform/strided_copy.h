// Copies between two strided arrays in memory: the inner loop of every change of layout.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace hf2mlx {

inline constexpr uint32_t kMaxRank = 10;

// One axis of a region: its extent, and how far one step moves in the input and in the output, in elements.
struct BoxAxis {
  uint64_t size;
  int64_t in_stride;
  int64_t out_stride;
};

// A region of up to kMaxRank axes, with the places of its first element.
struct Box {
  uint32_t rank = 0;
  std::array<BoxAxis, kMaxRank> axes;
  int64_t in_offset = 0;
  int64_t out_offset = 0;

  void push(const BoxAxis& axis) { axes[rank++] = axis; }
};

// Calls visit(in_offset, out_offset) for every index of the first `rank` axes of `box`, the last of them fastest.
template <class Visit>
void for_each_offset(const Box& box, uint32_t rank, Visit visit) {
  std::array<uint64_t, kMaxRank> index{};
  int64_t in = box.in_offset;
  int64_t out = box.out_offset;
  for (;;) {
    visit(in, out);
    uint32_t axis = rank;
    while (axis > 0) {
      const BoxAxis& a = box.axes[--axis];
      in += a.in_stride;
      out += a.out_stride;
      if (++index[axis] < a.size) break;
      in -= a.in_stride * static_cast<int64_t>(a.size);
      out -= a.out_stride * static_cast<int64_t>(a.size);
      index[axis] = 0;
      if (axis == 0) return;
    }
    if (rank == 0) return;
  }
}

// Copies every element of `box` from `in` to `out`. Elements have 1, 2, 4 or 8 bytes; pointers need no alignment. The arrays must not
// overlap.
void strided_copy(uint64_t element_bytes, const Box& box, const std::byte* in, std::byte* out);

}  // namespace hf2mlx
