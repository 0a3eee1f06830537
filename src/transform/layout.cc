// Factories of the operations that only change the layout: shape arithmetic over strided views.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "transform/check.h"
#include "transform/ops.h"
#include "transform/strided_view.h"

namespace hf2mlx::ops {
namespace {

void infer_extent(const LazyTensor& t, Shape& shape) {
  const auto hole = std::find(shape.begin(), shape.end(), kInferred);
  if (hole == shape.end()) return;
  *hole = 1;
  const uint64_t known = element_count(shape);
  const uint64_t total = element_count(t.shape());
  if (known == 0 || total % known != 0) {
    fail_shape("reshape", fmt::format("{} does not divide into parts of {} elements", to_string(t.shape()), known));
  }
  *hole = total / known;
}

struct StridedAxis {
  uint64_t size;
  int64_t stride;
};

// The axes with extent 1 left out and neighbours joined.
std::vector<StridedAxis> joined_axes(const Layout& layout) {
  std::vector<StridedAxis> axes;
  for (size_t i = 0; i < layout.shape.size(); ++i) {
    const StridedAxis axis{layout.shape[i], layout.strides[i]};
    if (axis.size == 1) continue;
    if (!axes.empty() && axes.back().stride == axis.stride * static_cast<int64_t>(axis.size)) {
      axes.back() = {axes.back().size * axis.size, axis.stride};
    } else {
      axes.push_back(axis);
    }
  }
  return axes;
}

// Strides that give `shape` over the same elements; empty where there are none. Both sides are walked from the last axis.
std::vector<int64_t> reshaped_strides(const Layout& layout, const Shape& shape) {
  std::vector<StridedAxis> axes = joined_axes(layout);
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 1) continue;
    if (axes.empty() || axes.back().size % shape[i] != 0) return {};
    strides[i] = axes.back().stride;
    axes.back().size /= shape[i];
    axes.back().stride *= static_cast<int64_t>(shape[i]);
    if (axes.back().size == 1) axes.pop_back();
  }
  return strides;
}

// What Python's slice(begin, end, step).indices(size) gives.
struct Range {
  int64_t begin;
  uint64_t count;
};

Range python_range(int64_t size, int64_t begin, int64_t end, int64_t step) {
  const int64_t low = step < 0 ? -1 : 0;
  const int64_t high = step < 0 ? size - 1 : size;
  const auto bounded = [&](int64_t index) {
    if (index == kBegin) return low;
    return std::clamp(index < 0 ? index + size : index, low, high);
  };
  const int64_t from = bounded(begin);
  const int64_t distance = step < 0 ? from - bounded(end) : bounded(end) - from;
  const int64_t stride = step < 0 ? -step : step;
  return {from, distance <= 0 ? 0 : static_cast<uint64_t>((distance + stride - 1) / stride)};
}

}  // namespace

TensorRef reshape(const TensorRef& t, Shape shape) {
  infer_extent(*t, shape);
  if (element_count(shape) != element_count(t->shape())) {
    fail_shape("reshape", fmt::format("{} cannot become {}", to_string(t->shape()), to_string(shape)));
  }
  Layout layout = layout_of(t);
  const bool empty = element_count(shape) == 0;
  std::vector<int64_t> strides = empty ? contiguous_strides(shape) : reshaped_strides(layout, shape);
  if (strides.size() != shape.size()) return from_layout({t, shape, contiguous_strides(shape), 0});
  // Extents of 1 may have any stride: give them the usual one, so that equal layouts compare equal.
  const std::vector<int64_t> usual = contiguous_strides(shape);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) strides[i] = usual[i];
  }
  return from_layout({layout.base, std::move(shape), std::move(strides), layout.offset});
}

TensorRef transpose(const TensorRef& t, const std::vector<int>& perm) {
  const Layout layout = layout_of(t);
  Layout result{layout.base, {}, {}, layout.offset};
  std::vector<bool> seen(layout.shape.size(), false);
  for (const int axis : perm) {
    const size_t from = checked_axis("transpose", axis, layout.shape.size());
    if (seen[from]) fail_shape("transpose", fmt::format("axis {} is named twice", axis));
    seen[from] = true;
    result.shape.push_back(layout.shape[from]);
    result.strides.push_back(layout.strides[from]);
  }
  if (perm.size() != layout.shape.size()) fail_shape("transpose", fmt::format("{} axes named of {}", perm.size(), layout.shape.size()));
  // Moving axes of extent 1 moves nothing, which reshape() sees.
  std::vector<size_t> moved;
  for (const int axis : perm) {
    const size_t from = checked_axis("transpose", axis, layout.shape.size());
    if (layout.shape[from] != 1) moved.push_back(from);
  }
  if (std::is_sorted(moved.begin(), moved.end())) return reshape(t, result.shape);
  return from_layout(std::move(result));
}

TensorRef swapaxes(const TensorRef& t, int a, int b) {
  const size_t rank = t->shape().size();
  std::vector<int> perm(rank);
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[checked_axis("swapaxes", a, rank)], perm[checked_axis("swapaxes", b, rank)]);
  return transpose(t, perm);
}

TensorRef moveaxis(const TensorRef& t, int from, int to) {
  const size_t rank = t->shape().size();
  const int source = static_cast<int>(checked_axis("moveaxis", from, rank));
  const size_t target = checked_axis("moveaxis", to, rank);
  std::vector<int> perm;
  for (int i = 0; i < static_cast<int>(rank); ++i) {
    if (i != source) perm.push_back(i);
  }
  perm.insert(perm.begin() + static_cast<std::ptrdiff_t>(target), source);
  return transpose(t, perm);
}

TensorRef slice(const TensorRef& t, int axis, int64_t begin, int64_t end, int64_t step) {
  if (step == 0) fail_shape("slice", "a step of 0");
  Layout layout = layout_of(t);
  const size_t at = checked_axis("slice", axis, layout.shape.size());
  const Range range = python_range(static_cast<int64_t>(layout.shape[at]), begin, end, step);
  layout.offset += range.begin * layout.strides[at];
  layout.shape[at] = range.count;
  layout.strides[at] *= step;
  return from_layout(std::move(layout));
}

TensorRef take(const TensorRef& t, int axis, int64_t index) {
  const size_t at = checked_axis("take", axis, t->shape().size());
  const int64_t size = static_cast<int64_t>(t->shape()[at]);
  const int64_t counted = index < 0 ? index + size : index;
  if (counted < 0 || counted >= size) fail_shape("take", fmt::format("index {} along axis {} of {}", index, axis, to_string(t->shape())));
  Shape shape = t->shape();
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(at));
  return reshape(slice(t, axis, counted, counted + 1), std::move(shape));
}

TensorRef repeat(const TensorRef& t, int axis, uint64_t n) {
  Layout layout = layout_of(t);
  const size_t at = checked_axis("repeat", axis, layout.shape.size());
  Shape shape = layout.shape;
  shape[at] *= n;
  layout.shape.insert(layout.shape.begin() + static_cast<std::ptrdiff_t>(at) + 1, n);
  layout.strides.insert(layout.strides.begin() + static_cast<std::ptrdiff_t>(at) + 1, 0);
  return reshape(from_layout(std::move(layout)), std::move(shape));
}

TensorRef broadcast(const TensorRef& t, const Shape& shape) {
  const Layout layout = layout_of(t);
  const size_t rank = layout.shape.size();
  Layout result{layout.base, shape, std::vector<int64_t>(shape.size(), 0), layout.offset};
  const auto fail = [&] { fail_shape("broadcast", fmt::format("{} cannot become {}", to_string(t->shape()), to_string(shape))); };
  if (rank > shape.size()) fail();
  for (size_t i = 0; i < rank; ++i) {
    const size_t to = shape.size() - rank + i;
    if (layout.shape[i] == shape[to]) {
      result.strides[to] = layout.strides[i];
    } else if (layout.shape[i] != 1) {
      fail();
    }
  }
  return from_layout(std::move(result));
}

}  // namespace hf2mlx::ops
