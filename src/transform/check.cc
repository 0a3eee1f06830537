#include "transform/check.h"

#include <fmt/format.h>

#include "hf2mlx/error.h"

namespace hf2mlx {

void fail_shape(std::string_view operation, const std::string& message) {
  throw Error(ErrorCode::kCorrupt, fmt::format("{}: {}", operation, message), "config.json and the tensors of the model disagree");
}

size_t checked_axis(std::string_view operation, int axis, size_t rank) {
  const int64_t counted = axis < 0 ? axis + static_cast<int64_t>(rank) : axis;
  if (counted < 0 || counted >= static_cast<int64_t>(rank))
    fail_shape(operation, fmt::format("axis {} of a tensor with {} axes", axis, rank));
  return static_cast<size_t>(counted);
}

void require_float(std::string_view operation, const LazyTensor& t) {
  if (is_float(t.dtype())) return;
  throw Error(ErrorCode::kUnsupported, fmt::format("{}: found {}, expected F16, BF16 or F32", operation, name_of(t.dtype())));
}

void require_dtype(std::string_view operation, const LazyTensor& t, Dtype dtype) {
  if (t.dtype() != dtype) fail_shape(operation, fmt::format("found {}, expected {}", name_of(t.dtype()), name_of(dtype)));
}

void require_shape(std::string_view operation, const LazyTensor& t, const Shape& shape) {
  if (t.shape() != shape) fail_shape(operation, fmt::format("found shape {}, expected {}", to_string(t.shape()), to_string(shape)));
}

void require_rank(std::string_view operation, const LazyTensor& t, size_t rank) {
  if (t.shape().size() != rank) fail_shape(operation, fmt::format("found shape {}, expected {} axes", to_string(t.shape()), rank));
}

}  // namespace hf2mlx
