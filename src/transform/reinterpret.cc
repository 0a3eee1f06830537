// view(): the bytes of a tensor as elements of another dtype.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "transform/check.h"
#include "transform/ops.h"
#include "transform/strided_view.h"

namespace hf2mlx::ops {
namespace {

// The flattened elements of `base` as elements of `dtype`.
class Reinterpret final : public LazyTensor {
 public:
  Reinterpret(TensorRef base, Dtype dtype, uint64_t count)
      : LazyTensor(dtype, {count}), base_(std::move(base)), from_bytes_(size_of(base_->dtype())), to_bytes_(size_of(dtype)) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    uint64_t at = begin * to_bytes_;
    const uint64_t end = at + count * to_bytes_;
    while (at < end) {
      const uint64_t whole = (end - at) / from_bytes_;
      const uint64_t within = at % from_bytes_;
      uint64_t bytes = whole * from_bytes_;
      if (within == 0 && whole > 0) {
        base_->read(at / from_bytes_, whole, out, scratch);
      } else {
        bytes = std::min(from_bytes_ - within, end - at);
        std::byte element[8];
        base_->read(at / from_bytes_, 1, element, scratch);
        std::memcpy(out, element + within, bytes);
      }
      at += bytes;
      out += bytes;
    }
  }

  std::optional<FileExtent> stored_at(uint64_t begin, uint64_t count) const override {
    const uint64_t first_bytes = begin * to_bytes_;
    const uint64_t within = first_bytes % from_bytes_;
    const uint64_t wanted = within + count * to_bytes_;
    std::optional<FileExtent> found = base_->stored_at(first_bytes / from_bytes_, (wanted + from_bytes_ - 1) / from_bytes_);
    if (!found) return found;
    found->offset_bytes += within;
    found->size_bytes = std::min(found->size_bytes, wanted) - within;
    found->size_bytes -= found->size_bytes % to_bytes_;
    return found->size_bytes > 0 ? found : std::nullopt;
  }

  uint64_t preferred_count() const override { return base_->preferred_count() * from_bytes_ / to_bytes_; }

 private:
  const TensorRef base_;
  const uint64_t from_bytes_;
  const uint64_t to_bytes_;
};

TensorRef reinterpret(const TensorRef& base, Dtype dtype) {
  const uint64_t bytes = element_count(base->shape()) * size_of(base->dtype());
  return std::make_shared<Reinterpret>(base, dtype, bytes / size_of(dtype));
}

// Scales a stride or offset by to/from; false where the result is not whole.
bool rescale(int64_t& elements, int64_t from_bytes, int64_t to_bytes) {
  const int64_t bytes = elements * from_bytes;
  elements = bytes / to_bytes;
  return bytes % to_bytes == 0;
}

// The layout with its strides counted in elements of `dtype`, over the reinterpreted base; false where strides cannot say it.
bool reinterpret_layout(Layout& layout, Dtype dtype, const Shape& shape) {
  const int64_t from = static_cast<int64_t>(size_of(layout.base->dtype()));
  const int64_t to = static_cast<int64_t>(size_of(dtype));
  const bool resized = from != to;
  if (resized && (layout.strides.back() != 1 || cols_of(layout.base->shape()) * size_of(layout.base->dtype()) % size_of(dtype) != 0))
    return false;
  bool whole = rescale(layout.offset, from, to);
  for (size_t i = 0; i + (resized ? 1 : 0) < layout.strides.size(); ++i) whole = rescale(layout.strides[i], from, to) && whole;
  layout.base = reinterpret(layout.base, dtype);
  layout.shape = shape;
  return whole;
}

}  // namespace

TensorRef view(const TensorRef& t, Dtype dtype) {
  if (dtype == t->dtype()) return t;
  const uint64_t from = size_of(t->dtype());
  const uint64_t to = size_of(dtype);
  Shape shape = t->shape();
  if (from != to) {
    if (shape.empty() || shape.back() * from % to != 0) {
      fail_shape("view", fmt::format("{} {} does not divide into {}", name_of(t->dtype()), to_string(shape), name_of(dtype)));
    }
    shape.back() = shape.back() * from / to;
  }
  Layout layout = layout_of(t);
  if (reinterpret_layout(layout, dtype, shape)) return from_layout(std::move(layout));
  return reshape(reinterpret(t, dtype), std::move(shape));
}

}  // namespace hf2mlx::ops
