// Integer codes of other packings than MLX's, and the zero points that belong to them.
#include "quant/codes.h"

#include <fmt/format.h>

#include <cstring>
#include <numeric>
#include <utility>

#include "hf2mlx/error.h"
#include "transform/blocks.h"
#include "transform/check.h"
#include "transform/ops.h"

namespace hf2mlx::ops {
namespace {

class Unpacked final : public LazyTensor {
 public:
  Unpacked(TensorRef packed, uint32_t bits, CodeOrder order, Shape shape)
      : LazyTensor(Dtype::kU8, std::move(shape)),
        packed_(std::move(packed)),
        bits_(bits),
        order_(order),
        unit_(std::lcm(codes_of_unit(bits, order), std::lcm(8 * size_of(packed_->dtype()), uint64_t{bits}) / bits)) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    std::byte block[kBlockCodes];
    for_each_tile(begin / unit_, (begin + count + unit_ - 1) / unit_, scratch, [&](const std::byte* in, uint64_t first, uint64_t end) {
      for (uint64_t from = first; from < end; from += kBlockCodes) {
        const uint64_t n = std::min(kBlockCodes, end - from);
        const std::byte* packed = in + (from - first) * bits_ / 8;
        if (from >= begin && from + n <= begin + count) {
          hf2mlx::unpack_codes(bits_, order_, packed, n, out + (from - begin));
          continue;
        }
        hf2mlx::unpack_codes(bits_, order_, packed, n, block);
        const uint64_t wanted = std::max(from, begin);
        std::memcpy(out + (wanted - begin), block + (wanted - from), std::min(from + n, begin + count) - wanted);
      }
    });
  }

  uint64_t preferred_count() const override { return packed_->preferred_count() * size_of(packed_->dtype()) * 8 / bits_; }

 private:
  static constexpr uint64_t kBlockCodes = 1024;  // a multiple of every unit

  // Of the units [first, end): use(bytes, first code, last code + 1).
  template <class Use>
  void for_each_tile(uint64_t first, uint64_t end, Scratch& scratch, Use use) const {
    const uint64_t elements = unit_ * bits_ / 8 / size_of(packed_->dtype());
    const uint64_t bytes = elements * size_of(packed_->dtype());
    const uint64_t wanted = std::max(kTileBytes, packed_->preferred_count() * size_of(packed_->dtype()));
    const uint64_t units = std::max<uint64_t>(std::min(wanted, budget_elements(scratch, 1)) / bytes, 1);
    const Scratch::Block tile(scratch, std::min(units, end - first) * bytes);
    for (; first < end; first += units) {
      const uint64_t n = std::min(units, end - first);
      packed_->read(first * elements, n * elements, tile.data(), scratch);
      use(static_cast<const std::byte*>(tile.data()), first * unit_, (first + n) * unit_);
    }
  }

  const TensorRef packed_;
  const uint32_t bits_;
  const CodeOrder order_;
  const uint64_t unit_;  // codes that are whole elements of packed_, too
};

// change(count, codes) of what is read, in place.
template <class Change>
class Changed final : public LazyTensor {
 public:
  Changed(TensorRef codes, Change change) : LazyTensor(Dtype::kU8, codes->shape()), codes_(std::move(codes)), change_(std::move(change)) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    codes_->read(begin, count, out, scratch);
    change_(count, out);
  }

 private:
  const TensorRef codes_;
  const Change change_;
};

template <class Change>
TensorRef changed(const char* what, const TensorRef& codes, Change change) {
  require_dtype(what, *codes, Dtype::kU8);
  return std::make_shared<Changed<Change>>(codes, std::move(change));
}

class Packed final : public LazyTensor {
 public:
  Packed(TensorRef codes, uint32_t bits, Shape shape) : LazyTensor(Dtype::kU32, std::move(shape)), codes_(std::move(codes)), bits_(bits) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    const uint64_t first = begin * 32 / bits_;
    for_each_tile(*codes_, first, count * 32 / bits_, scratch,
                  [&](const std::byte* codes, uint64_t done, uint64_t n) { hf2mlx::pack_codes(bits_, codes, n, out + done * bits_ / 8); });
  }

 private:
  const TensorRef codes_;
  const uint32_t bits_;
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
  if (!has_codes(bits, order)) throw Error(ErrorCode::kUnsupported, fmt::format("unpack_codes: codes of {} bits in that order", bits));
  const uint64_t unit_bits = uint64_t{codes_of_unit(bits, order)} * bits;
  Shape shape = packed->shape();
  const uint64_t row_bits = shape.empty() ? 1 : shape.back() * size_of(dtype) * 8;
  if (row_bits % unit_bits != 0) {
    fail_shape("unpack_codes",
               fmt::format("{} does not hold whole units of {} codes of {} bits", to_string(shape), unit_bits / bits, bits));
  }
  shape.back() = row_bits / bits;
  return std::make_shared<Unpacked>(packed, bits, order, std::move(shape));
}

TensorRef shift_codes(const TensorRef& codes, uint32_t add, uint32_t bits) {
  return changed("shift_codes", codes, [=](uint64_t count, std::byte* out) { add_to_codes(add, bits, count, out); });
}

TensorRef bit_field(const TensorRef& bytes, uint32_t low, uint32_t bits) {
  return changed("bit_field", bytes, [=](uint64_t count, std::byte* out) { codes_in_bytes(low, bits, out, count, out); });
}

TensorRef pack_codes(const TensorRef& codes, uint32_t bits) {
  require_dtype("pack_codes", *codes, Dtype::kU8);
  Shape shape = codes->shape();
  if (32 % bits != 0 || shape.empty() || shape.back() * bits % 32 != 0) {
    fail_shape("pack_codes", fmt::format("codes {} of {} bits do not fill words", to_string(shape), bits));
  }
  shape.back() = shape.back() * bits / 32;
  return std::make_shared<Packed>(codes, bits, std::move(shape));
}

TensorRef zero_biases(const TensorRef& zeros, const TensorRef& scales) {
  require_float("zero_biases: scales", *scales);
  require_dtype("zero_biases", *zeros, Dtype::kU8);
  require_shape("zero_biases", *zeros, scales->shape());
  return std::make_shared<ZeroBiases>(zeros, scales);
}

}  // namespace hf2mlx::ops
