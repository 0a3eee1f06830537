// A tensor whose elements are those of another, found by strides: what reshape, transpose, slice and broadcast make.
#pragma once

#include <vector>

#include "tensor/lazy.h"
#include "transform/strided_copy.h"

namespace hf2mlx {

// How a shape lies over the flattened elements of `base`. Strides and offset count elements; a stride may be 0 or negative.
struct Layout {
  TensorRef base;
  Shape shape;
  std::vector<int64_t> strides;
  int64_t offset = 0;
};

// The layout of a view over what it views; of any other tensor over itself.
Layout layout_of(const TensorRef& t);
// Row-major strides.
std::vector<int64_t> contiguous_strides(const Shape& shape);
// The tensor of a layout: its base where nothing differs, else a view.
TensorRef from_layout(Layout layout);

class StridedView final : public LazyTensor {
 public:
  explicit StridedView(Layout layout);

  const Layout& layout() const { return layout_; }
  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override;
  std::optional<FileExtent> stored_at(uint64_t begin, uint64_t count) const override;
  uint64_t preferred_count() const override;

 private:
  struct Axis {
    uint64_t size;
    int64_t stride;
    uint64_t inner;  // elements of one step: the product of the sizes after this axis
  };

  bool contiguous() const { return axes_.empty() || (axes_.size() == 1 && axes_[0].stride == 1); }
  // Cuts a range of the elements below axis `axis` into boxes and reads each.
  void read_range(size_t axis, uint64_t begin, uint64_t end, int64_t in_offset, int64_t out_offset, std::byte* out, Scratch& scratch) const;
  // Whether reading `count` elements from the beginning on takes long reads of which most is wanted.
  bool reads_well(uint64_t count) const;
  Box box_of(size_t axis, uint64_t first, uint64_t last, int64_t in_offset, int64_t out_offset) const;

  Layout layout_;
  std::vector<Axis> axes_;  // the shape with axes of extent 1 left out and neighbours joined where strides allow
};

}  // namespace hf2mlx
