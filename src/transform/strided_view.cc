// How a view is read: the wanted range is cut into boxes (products of index ranges). The axes of a box are put into the order of the base,
// the widest stride first, and the box is fetched in that order with reads as long as possible, into scratch memory; from there
// strided_copy() puts the elements into the order of the view. A box that does not fit the scratch is halved along its widest stride, which
// does not shorten the reads.
#include "transform/strided_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hf2mlx/error.h"
#include "transform/blocks.h"

namespace hf2mlx {
namespace {

// Up to this many unwanted bytes are read along to save a call: what a pread of cached data costs is about what copying this much costs.
constexpr uint64_t kGapBytes = 4096;
// Runs of at least this many bytes go straight to their place.
constexpr uint64_t kDirectBytes = 4096;

// Reads of which at least kRunBytes are wanted, and at least half: transposing a [5120, 16384] bf16 matrix in the page cache runs at 0.21
// GB/s in blocks of 1 MiB (runs of 200 bytes), at 0.6 in blocks of 4 MiB, and hardly gains after that (layout_bench.cc; 2 virtual cores,
// Linux 6.18).
constexpr uint64_t kRunBytes = 768;
constexpr uint64_t kLeastReadBytes = kTileBytes;
constexpr uint64_t kMostReadBytes = uint64_t{16} << 20;

// Positive input strides, no axis of extent 1, widest input stride first (broadcast axes last), neighbours joined where possible.
Box in_base_order(const Box& box) {
  Box sorted;
  sorted.in_offset = box.in_offset;
  sorted.out_offset = box.out_offset;
  for (uint32_t i = 0; i < box.rank; ++i) {
    BoxAxis axis = box.axes[i];
    if (axis.size == 1) continue;
    if (axis.in_stride < 0) {
      const int64_t last = static_cast<int64_t>(axis.size) - 1;
      sorted.in_offset += last * axis.in_stride;
      sorted.out_offset += last * axis.out_stride;
      axis.in_stride = -axis.in_stride;
      axis.out_stride = -axis.out_stride;
    }
    uint32_t at = sorted.rank++;
    for (; at > 0 && sorted.axes[at - 1].in_stride < axis.in_stride; --at) sorted.axes[at] = sorted.axes[at - 1];
    sorted.axes[at] = axis;
  }
  uint32_t rank = 0;
  for (uint32_t i = 0; i < sorted.rank; ++i) {
    const BoxAxis& axis = sorted.axes[i];
    const int64_t size = static_cast<int64_t>(axis.size);
    BoxAxis* outer = rank > 0 ? &sorted.axes[rank - 1] : nullptr;
    if (outer && outer->in_stride == axis.in_stride * size && outer->out_stride == axis.out_stride * size) {
      *outer = {outer->size * axis.size, axis.in_stride, axis.out_stride};
    } else {
      sorted.axes[rank++] = axis;
    }
  }
  sorted.rank = rank;
  return sorted;
}

// What one read of the base gives: the axes before `outer` are walked, `unit` elements are read for each index.
struct Fetch {
  uint32_t outer;
  uint64_t unit;
  uint64_t elements;
};

uint64_t gap_bytes(const BoxAxis& axis, uint64_t unit, uint64_t element_bytes) {
  const uint64_t stride = static_cast<uint64_t>(axis.in_stride);
  return stride > unit ? (stride - unit) * element_bytes : 0;
}

Fetch plan_fetch(const Box& box, uint64_t element_bytes) {
  uint32_t axis = box.rank;
  while (axis > 0 && box.axes[axis - 1].in_stride == 0) --axis;
  uint64_t unit = 1;
  while (axis > 0 && gap_bytes(box.axes[axis - 1], unit, element_bytes) <= kGapBytes) {
    --axis;
    unit += (box.axes[axis].size - 1) * static_cast<uint64_t>(box.axes[axis].in_stride);
  }
  Fetch fetch{axis, unit, unit};
  for (uint32_t i = 0; i < axis; ++i) fetch.elements *= box.axes[i].size;
  return fetch;
}

// Whether the runs of the base are runs of the view too, and long enough or too far apart to be read together.
bool is_direct(const Box& box, uint64_t element_bytes) {
  if (box.rank == 0) return true;
  const BoxAxis& run = box.axes[box.rank - 1];
  if (run.in_stride != 1 || run.out_stride != 1) return false;
  return run.size * element_bytes >= kDirectBytes ||
         (box.rank > 1 && gap_bytes(box.axes[box.rank - 2], run.size, element_bytes) > kGapBytes);
}

// Reads boxes of `base` that are in base order.
class BoxReader {
 public:
  BoxReader(const LazyTensor& base, std::byte* out, Scratch& scratch)
      : base_(base), element_bytes_(size_of(base.dtype())), out_(out), scratch_(scratch) {}

  void read(const Box& box) const {
    if (is_direct(box, element_bytes_)) return read_direct(box);
    const Fetch fetch = plan_fetch(box, element_bytes_);
    if (fetch.elements * element_bytes_ <= budget_bytes()) return read_through_scratch(box, fetch);
    read_in_parts(box);
  }

 private:
  // What the base itself needs to be read stays free.
  uint64_t budget_bytes() const { return std::max(scratch_.free_bytes() / 2, element_bytes_); }

  void read_direct(const Box& box) const {
    const uint64_t run = box.rank == 0 ? 1 : box.axes[box.rank - 1].size;
    for_each_offset(box, box.rank == 0 ? 0 : box.rank - 1, [&](int64_t in, int64_t out) {
      base_.read(static_cast<uint64_t>(in), run, out_ + out * static_cast<int64_t>(element_bytes_), scratch_);
    });
  }

  void read_through_scratch(Box box, const Fetch& fetch) const {
    const Scratch::Block tile(scratch_, fetch.elements * element_bytes_);
    std::byte* next = tile.data();
    for_each_offset(box, fetch.outer, [&](int64_t in, int64_t) {
      base_.read(static_cast<uint64_t>(in), fetch.unit, next, scratch_);
      next += fetch.unit * element_bytes_;
    });
    box.in_offset = 0;
    int64_t packed = static_cast<int64_t>(fetch.unit);
    for (uint32_t i = fetch.outer; i-- > 0;) {
      box.axes[i].in_stride = packed;
      packed *= static_cast<int64_t>(box.axes[i].size);
    }
    strided_copy(element_bytes_, box, tile.data(), out_);
  }

  void read_in_parts(const Box& box) const {
    Box part = box;
    BoxAxis& axis = part.axes[0];
    while (axis.size > 1 && plan_fetch(part, element_bytes_).elements * element_bytes_ > budget_bytes()) axis.size = (axis.size + 1) / 2;
    const uint64_t step = axis.size;
    for (uint64_t done = 0; done < box.axes[0].size; done += step) {
      part = box;
      axis.size = std::min(step, box.axes[0].size - done);
      part.in_offset += static_cast<int64_t>(done) * axis.in_stride;
      part.out_offset += static_cast<int64_t>(done) * axis.out_stride;
      read(in_base_order(part));
    }
  }

  const LazyTensor& base_;
  const uint64_t element_bytes_;
  std::byte* const out_;
  Scratch& scratch_;
};

}  // namespace

std::vector<int64_t> contiguous_strides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= static_cast<int64_t>(shape[i]);
  }
  return strides;
}

Layout layout_of(const TensorRef& t) {
  const StridedView* view = dynamic_cast<const StridedView*>(t.get());
  return view ? view->layout() : Layout{t, t->shape(), contiguous_strides(t->shape()), 0};
}

TensorRef from_layout(Layout layout) {
  const bool same = layout.shape == layout.base->shape() && layout.offset == 0 && layout.strides == contiguous_strides(layout.shape);
  if (same) return layout.base;
  return std::make_shared<StridedView>(std::move(layout));
}

StridedView::StridedView(Layout layout) : LazyTensor(layout.base->dtype(), layout.shape), layout_(std::move(layout)) {
  for (size_t i = 0; i < shape().size(); ++i) {
    const Axis axis{shape()[i], layout_.strides[i], 1};
    if (axis.size == 1) continue;
    if (!axes_.empty() && axes_.back().stride == axis.stride * static_cast<int64_t>(axis.size)) {
      axes_.back() = {axes_.back().size * axis.size, axis.stride, 1};
    } else {
      axes_.push_back(axis);
    }
  }
  if (axes_.size() > kMaxRank) {
    throw Error(ErrorCode::kUnsupported, fmt::format("layout: {} has more than {} axes", to_string(shape()), kMaxRank));
  }
  for (size_t i = axes_.size(); i-- > 1;) axes_[i - 1].inner = axes_[i].inner * axes_[i].size;
}

void StridedView::read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const {
  if (count == 0) return;
  if (contiguous()) return layout_.base->read(static_cast<uint64_t>(layout_.offset) + begin, count, out, scratch);
  read_range(0, begin, begin + count, layout_.offset, 0, out, scratch);
}

void StridedView::read_range(size_t axis, uint64_t begin, uint64_t end, int64_t in_offset, int64_t out_offset, std::byte* out,
                             Scratch& scratch) const {
  const Axis& a = axes_[axis];
  uint64_t first = begin / a.inner;
  const uint64_t last = end / a.inner;
  const auto start_of = [&](uint64_t index) { return in_offset + static_cast<int64_t>(index) * a.stride; };
  if (first == last) return read_range(axis + 1, begin % a.inner, end % a.inner, start_of(first), out_offset, out, scratch);
  if (begin % a.inner != 0) {
    read_range(axis + 1, begin % a.inner, a.inner, start_of(first), out_offset, out, scratch);
    out_offset += static_cast<int64_t>(a.inner - begin % a.inner);
    ++first;
  }
  if (first < last) {
    BoxReader(*layout_.base, out, scratch).read(box_of(axis, first, last, in_offset, out_offset));
    out_offset += static_cast<int64_t>((last - first) * a.inner);
  }
  if (end % a.inner != 0) read_range(axis + 1, 0, end % a.inner, start_of(last), out_offset, out, scratch);
}

uint64_t StridedView::preferred_count() const {
  if (contiguous()) return layout_.base->preferred_count();
  const uint64_t total = axes_[0].size * axes_[0].inner;
  const uint64_t element_bytes = size_of(dtype());
  uint64_t bytes = kLeastReadBytes;
  while (bytes < kMostReadBytes && bytes < total * element_bytes && !reads_well(bytes / element_bytes)) bytes *= 2;
  const uint64_t own = bytes == kLeastReadBytes ? 0 : std::min(bytes / element_bytes, total);
  return std::max(own, layout_.base->preferred_count());
}

bool StridedView::reads_well(uint64_t count) const {
  size_t axis = 0;
  while (axes_[axis].inner > count) ++axis;
  const Box box = box_of(axis, 0, std::min(count / axes_[axis].inner, axes_[axis].size), layout_.offset, 0);
  const uint64_t element_bytes = size_of(dtype());
  if (is_direct(box, element_bytes)) return box.rank == 0 || box.axes[box.rank - 1].size * element_bytes >= kRunBytes;
  const Fetch fetch = plan_fetch(box, element_bytes);
  uint64_t wanted = 1;
  for (uint32_t i = 0; i < box.rank; ++i) wanted *= box.axes[i].in_stride == 0 ? 1 : box.axes[i].size;
  return wanted * element_bytes * fetch.unit >= kRunBytes * fetch.elements && 2 * wanted >= fetch.elements;
}

Box StridedView::box_of(size_t axis, uint64_t first, uint64_t last, int64_t in_offset, int64_t out_offset) const {
  Box box;
  box.in_offset = in_offset + static_cast<int64_t>(first) * axes_[axis].stride;
  box.out_offset = out_offset;
  box.push({last - first, axes_[axis].stride, static_cast<int64_t>(axes_[axis].inner)});
  for (size_t i = axis + 1; i < axes_.size(); ++i) {
    box.push({axes_[i].size, axes_[i].stride, static_cast<int64_t>(axes_[i].inner)});
  }
  return in_base_order(box);
}

std::optional<FileExtent> StridedView::stored_at(uint64_t begin, uint64_t count) const {
  int64_t in = layout_.offset;
  uint64_t rest = begin;
  for (const Axis& axis : axes_) {
    in += static_cast<int64_t>(rest / axis.inner) * axis.stride;
    rest %= axis.inner;
  }
  const bool has_runs = !axes_.empty() && axes_.back().stride == 1;
  const uint64_t run = has_runs ? axes_.back().size - begin % axes_.back().size : 1;
  return layout_.base->stored_at(static_cast<uint64_t>(in), std::min(run, count));
}

}  // namespace hf2mlx
