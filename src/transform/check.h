// Argument checks that the operations share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tensor/lazy.h"

namespace hf2mlx {

// Throws Error{kCorrupt, "operation: message"}.
[[noreturn]] void fail_shape(std::string_view operation, const std::string& message);
// `axis` counted from 0. Throws where `rank` has no such axis.
size_t checked_axis(std::string_view operation, int axis, size_t rank);
// Throws Error{kUnsupported} unless the tensor is F16, BF16 or F32.
void require_float(std::string_view operation, const LazyTensor& t);
// Throws Error{kCorrupt} unless the tensor has that dtype.
void require_dtype(std::string_view operation, const LazyTensor& t, Dtype dtype);
void require_shape(std::string_view operation, const LazyTensor& t, const Shape& shape);
// Throws Error{kCorrupt} unless the tensor has that many axes.
void require_rank(std::string_view operation, const LazyTensor& t, size_t rank);

}  // namespace hf2mlx
