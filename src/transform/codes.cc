// Integer codes of other packings than MLX's, and the zero points that belong to them.
#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "hf2mlx/error.h"
#include "transform/blocks.h"
#include "transform/check.h"
#include "transform/ops.h"

namespace hf2mlx::ops {
namespace {

// Which of the codes of a unit lies at a place, counted from the lowest bits.
struct Interleave {
  uint32_t count;  // codes of a unit
  uint32_t place[8];
};

Interleave interleave_of(CodeOrder order, uint32_t bits) {
  if (order == CodeOrder::kHighFirst && bits == 4) return {2, {1, 0}};
  if (order == CodeOrder::kAwq && bits == 4) return {8, {0, 4, 1, 5, 2, 6, 3, 7}};
  if (order == CodeOrder::kAwq && bits == 8) return {4, {0, 2, 1, 3}};
  if (order == CodeOrder::kInOrder && (bits == 2 || bits == 3 || bits == 4 || bits == 8))
    return {bits == 3 ? 8u : 8u / bits, {0, 1, 2, 3, 4, 5, 6, 7}};
  throw Error(ErrorCode::kUnsupported, fmt::format("unpack_codes: codes of {} bits in that order", bits));
}

uint32_t code_at(const std::byte* bytes, uint64_t bit, uint32_t bits) {
  uint32_t window = std::to_integer<uint32_t>(bytes[bit / 8]);
  if (bit % 8 + bits > 8) window |= std::to_integer<uint32_t>(bytes[bit / 8 + 1]) << 8;
  return window >> bit % 8 & ((1u << bits) - 1);
}

class Unpacked final : public LazyTensor {
 public:
  Unpacked(TensorRef packed, uint32_t bits, const Interleave& interleave, Shape shape)
      : LazyTensor(Dtype::kU8, std::move(shape)), packed_(std::move(packed)), bits_(bits), interleave_(interleave) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    if (count == 0) return;
    // A run of units that is a run of elements of packed_, too.
    const uint64_t unit =
        std::max<uint64_t>(interleave_.count, 8 * size_of(packed_->dtype()) / std::gcd<uint64_t>(8 * size_of(packed_->dtype()), bits_));
    const uint64_t first_unit = begin / unit;
    const uint64_t last_unit = (begin + count - 1) / unit;
    const uint64_t elements = unit * bits_ / 8 / size_of(packed_->dtype());
    for_each_unit(first_unit, last_unit + 1, elements, scratch, [&](const std::byte* in, uint64_t first, uint64_t n) {
      const uint64_t from = std::max(begin, first * unit);
      const uint64_t to = std::min(begin + count, (first + n) * unit);
      for (uint64_t i = from; i < to; ++i)
        out[i - begin] = static_cast<std::byte>(code_at(in, stored_place(i - first * unit) * bits_, bits_));
    });
  }

  uint64_t preferred_count() const override { return packed_->preferred_count() * size_of(packed_->dtype()) * 8 / bits_; }

 private:
  uint64_t stored_place(uint64_t index) const { return index - index % interleave_.count + interleave_.place[index % interleave_.count]; }

  template <class Use>
  void for_each_unit(uint64_t first, uint64_t end, uint64_t elements, Scratch& scratch, Use use) const {
    const uint64_t bytes = elements * size_of(packed_->dtype());
    const uint64_t wanted = std::max(kTileBytes, packed_->preferred_count() * size_of(packed_->dtype()));
    const uint64_t units = std::max<uint64_t>(std::min(wanted, budget_elements(scratch, 1)) / bytes, 1);
    const Scratch::Block tile(scratch, std::min(units, end - first) * bytes);
    for (; first < end; first += units) {
      const uint64_t n = std::min(units, end - first);
      packed_->read(first * elements, n * elements, tile.data(), scratch);
      use(static_cast<const std::byte*>(tile.data()), first, n);
    }
  }

  const TensorRef packed_;
  const uint32_t bits_;
  const Interleave interleave_;
};

class Shifted final : public LazyTensor {
 public:
  Shifted(TensorRef codes, uint32_t add, uint32_t mask)
      : LazyTensor(Dtype::kU8, codes->shape()), codes_(std::move(codes)), add_(add), mask_(mask) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    codes_->read(begin, count, out, scratch);
    for (uint64_t i = 0; i < count; ++i) out[i] = static_cast<std::byte>((std::to_integer<uint32_t>(out[i]) + add_) & mask_);
  }

 private:
  const TensorRef codes_;
  const uint32_t add_;
  const uint32_t mask_;
};

class ZeroBiases final : public LazyTensor {
 public:
  ZeroBiases(TensorRef zeros, TensorRef scales)
      : LazyTensor(scales->dtype(), scales->shape()), zeros_(std::move(zeros)), scales_(std::move(scales)) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    scales_->read(begin, count, out, scratch);
    for_each_tile(*zeros_, begin, count, scratch, [&](const std::byte* zeros, uint64_t done, uint64_t n) {
      std::byte* tile = out + done * size_of(dtype());
      map_floats(dtype(), tile, dtype(), tile, n, [&](float* values, uint64_t m, uint64_t skipped) {
        for (uint64_t i = 0; i < m; ++i) values[i] *= -static_cast<float>(std::to_integer<uint32_t>(zeros[skipped + i]));
      });
    });
  }

 private:
  const TensorRef zeros_;
  const TensorRef scales_;
};

}  // namespace

TensorRef unpack_codes(const TensorRef& packed, uint32_t bits, CodeOrder order) {
  const Dtype dtype = packed->dtype();
  if (dtype != Dtype::kU8 && dtype != Dtype::kI32 && dtype != Dtype::kU32) {
    throw Error(ErrorCode::kUnsupported, fmt::format("unpack_codes: dtype {} found, U8, I32 or U32 expected", name_of(dtype)));
  }
  const Interleave interleave = interleave_of(order, bits);
  Shape shape = packed->shape();
  const uint64_t row_bits = shape.empty() ? 1 : shape.back() * size_of(dtype) * 8;
  if (row_bits % (interleave.count * bits) != 0) {
    fail_shape("unpack_codes",
               fmt::format("{} does not hold whole units of {} codes of {} bits", to_string(shape), interleave.count, bits));
  }
  shape.back() = row_bits / bits;
  return std::make_shared<Unpacked>(packed, bits, interleave, std::move(shape));
}

TensorRef shift_codes(const TensorRef& codes, uint32_t add, uint32_t bits) {
  require_dtype("shift_codes", *codes, Dtype::kU8);
  return std::make_shared<Shifted>(codes, add, (1u << bits) - 1);
}

TensorRef zero_biases(const TensorRef& zeros, const TensorRef& scales) {
  require_float("zero_biases: scales", *scales);
  require_dtype("zero_biases", *zeros, Dtype::kU8);
  require_shape("zero_biases", *zeros, scales->shape());
  return std::make_shared<ZeroBiases>(zeros, scales);
}

}  // namespace hf2mlx::ops
