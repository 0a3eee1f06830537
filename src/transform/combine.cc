// concat() and stack(): several tensors one after the other.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hf2mlx/error.h"
#include "transform/check.h"
#include "transform/ops.h"

namespace hf2mlx::ops {
namespace {

// Row-major, the result repeats one pattern: `run` elements of the first part, of the second and so on.
class Concat final : public LazyTensor {
 public:
  // `runs` are the elements that each part has for one index of the axes before the joined one.
  Concat(std::vector<TensorRef> parts, const std::vector<uint64_t>& runs, Shape shape)
      : LazyTensor(parts[0]->dtype(), std::move(shape)), parts_(std::move(parts)) {
    starts_.push_back(0);
    for (const uint64_t run : runs) starts_.push_back(starts_.back() + run);
  }

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch& scratch) const override {
    while (count > 0) {
      const Piece piece = piece_at(begin, count);
      piece.part->read(piece.begin, piece.count, out, scratch);
      begin += piece.count;
      count -= piece.count;
      out += piece.count * size_of(dtype());
    }
  }

  std::optional<FileExtent> stored_at(uint64_t begin, uint64_t count) const override {
    const Piece piece = piece_at(begin, count);
    return piece.part->stored_at(piece.begin, piece.count);
  }

  const std::vector<TensorRef>& parts() const { return parts_; }

  uint64_t preferred_count() const override {
    uint64_t count = 0;
    for (const TensorRef& part : parts_) count = std::max(count, part->preferred_count());
    return count;
  }

 private:
  struct Piece {
    const LazyTensor* part;
    uint64_t begin;
    uint64_t count;
  };

  Piece piece_at(uint64_t begin, uint64_t count) const {
    const uint64_t pattern = starts_.back();
    const uint64_t within = begin % pattern;
    const size_t next = static_cast<size_t>(std::upper_bound(starts_.begin(), starts_.end(), within) - starts_.begin());
    const uint64_t start = starts_[next - 1];
    const uint64_t run = starts_[next] - start;
    return {parts_[next - 1].get(), begin / pattern * run + (within - start), std::min(count, starts_[next] - within)};
  }

  const std::vector<TensorRef> parts_;
  std::vector<uint64_t> starts_;  // of each part within the pattern, and the pattern's length
};

// The parts, of one dtype: floats of several become F32, as MLX promotes them.
std::vector<TensorRef> alike(std::string_view operation, std::vector<TensorRef> parts) {
  if (parts.empty())
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: nothing to put together, as if config.json stated none", operation),
                "check the numbers of layers and experts in config.json");
  const Dtype first = parts[0]->dtype();
  const bool floats = std::all_of(parts.begin(), parts.end(), [](const TensorRef& part) { return is_float(part->dtype()); });
  const bool same = std::all_of(parts.begin(), parts.end(), [&](const TensorRef& part) { return part->dtype() == first; });
  for (TensorRef& part : parts) {
    if (floats && !same && part->dtype() != Dtype::kF32) part = cast(part, Dtype::kF32);
    require_dtype(operation, *part, floats && !same ? Dtype::kF32 : first);
    require_rank(operation, *part, parts[0]->shape().size());
  }
  return parts;
}

}  // namespace

const std::vector<TensorRef>* joined_parts(const TensorRef& t) {
  const auto* joined = dynamic_cast<const Concat*>(t.get());
  return joined ? &joined->parts() : nullptr;
}

TensorRef concat(const std::vector<TensorRef>& given, int axis) {
  const std::vector<TensorRef> parts = alike("concat", given);
  if (parts.size() == 1) return parts[0];
  Shape shape = parts[0]->shape();
  const size_t at = checked_axis("concat", axis, shape.size());
  uint64_t inner = 1;
  for (size_t i = at + 1; i < shape.size(); ++i) inner *= shape[i];
  shape[at] = 0;
  std::vector<uint64_t> runs;
  for (const TensorRef& part : parts) {
    Shape expected = shape;
    expected[at] = part->shape()[at];
    require_shape("concat", *part, expected);
    runs.push_back(expected[at] * inner);
  }
  for (const TensorRef& part : parts) shape[at] += part->shape()[at];
  return std::make_shared<Concat>(parts, runs, std::move(shape));
}

TensorRef stack(const std::vector<TensorRef>& given) {
  const std::vector<TensorRef> parts = alike("stack", given);
  for (const TensorRef& part : parts) require_shape("stack", *part, parts[0]->shape());
  Shape shape = parts[0]->shape();
  const std::vector<uint64_t> runs(parts.size(), element_count(shape));
  shape.insert(shape.begin(), parts.size());
  return std::make_shared<Concat>(parts, runs, std::move(shape));
}

}  // namespace hf2mlx::ops
