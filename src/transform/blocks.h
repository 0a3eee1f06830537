// How operations cut the range they are asked for into pieces that fit the scratch, and how they get at values as floats.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "quant/convert.h"
#include "tensor/lazy.h"
#include "transform/scratch.h"

namespace hf2mlx {

// How many elements of `element_bytes` an operation may take of the scratch: half of what is free, so that the tensors below it have the
// rest.
inline uint64_t budget_elements(const Scratch& scratch, uint64_t element_bytes) {
  return std::max<uint64_t>(scratch.free_bytes() / 2 / element_bytes, 1);
}

// Tiles of this many bytes stay in a core's second-level cache between being read and being used.
inline constexpr uint64_t kTileBytes = 256 << 10;

// Reads [begin, begin + count) of `t` in tiles and calls use(bytes, done, n) for each: n elements, of which the first is begin + done.
template <class Use>
void for_each_tile(const LazyTensor& t, uint64_t begin, uint64_t count, Scratch& scratch, Use use) {
  const uint64_t cached = std::max(kTileBytes / size_of(t.dtype()), t.preferred_count());
  const uint64_t tile_elements = std::min({count, cached, budget_elements(scratch, size_of(t.dtype()))});
  const Scratch::Block tile(scratch, tile_elements * size_of(t.dtype()));
  for (uint64_t done = 0; done < count; done += tile_elements) {
    const uint64_t n = std::min(tile_elements, count - done);
    t.read(begin + done, n, tile.data(), scratch);
    use(static_cast<const std::byte*>(tile.data()), done, n);
  }
}

// Either some whole rows (col is 0, cols is the row's length) or a part of one row.
struct RowPiece {
  uint64_t row;
  uint64_t col;
  uint64_t rows;
  uint64_t cols;
  uint64_t done;  // elements of the range before this piece
};

// Cuts [begin, begin + count) of a tensor with rows of `row_elements` into pieces of at most `max_elements`.
template <class Use>
void for_each_row_piece(uint64_t begin, uint64_t count, uint64_t row_elements, uint64_t max_elements, Use use) {
  for (uint64_t done = 0; done < count;) {
    const uint64_t left = count - done;
    RowPiece piece{(begin + done) / row_elements, (begin + done) % row_elements, 1, 0, done};
    if (piece.col == 0 && std::min(left, max_elements) >= row_elements) {
      piece.rows = std::min(left, max_elements) / row_elements;
      piece.cols = row_elements;
    } else {
      piece.cols = std::min({left, max_elements, row_elements - piece.col});
    }
    use(piece);
    done += piece.rows * piece.cols;
  }
}

// Floats are worked on in blocks of this many, on the stack: 4 KB, which stays in the first-level cache.
inline constexpr uint64_t kFloatBlock = 1024;

// Values of any float dtype, and of the 8-bit ones, as float32.
inline void load_floats(Dtype dtype, const std::byte* in, float* out, uint64_t count) {
  const bool coded = dtype == Dtype::kF8E4M3 || dtype == Dtype::kF8E5M2 || dtype == Dtype::kF8E8M0;
  (coded ? decode_fp8 : convert_elements)(dtype, in, Dtype::kF32, reinterpret_cast<std::byte*>(out), count);
}

// Calls change(values, n, done) on float32 copies of the elements at `in` and stores what it leaves, rounded, at `out`. `out` may be `in`.
template <class Change>
void map_floats(Dtype from, const std::byte* in, Dtype to, std::byte* out, uint64_t count, Change change) {
  alignas(64) float values[kFloatBlock];
  for (uint64_t done = 0; done < count; done += kFloatBlock) {
    const uint64_t n = std::min(kFloatBlock, count - done);
    load_floats(from, in + done * size_of(from), values, n);
    change(values, n, done);
    convert_elements(Dtype::kF32, reinterpret_cast<const std::byte*>(values), to, out + done * size_of(to), n);
  }
}

}  // namespace hf2mlx
