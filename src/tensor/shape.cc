// Checked products of dimensions.
#include "tensor/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "base/bytes.h"
#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

constexpr uint64_t kMaxElements = uint64_t{1} << 62;

uint64_t product(std::span<const uint64_t> dims, const Shape& shape) {
  if (std::find(dims.begin(), dims.end(), 0) != dims.end()) return 0;
  std::optional<uint64_t> count = 1;
  for (const uint64_t dim : dims) {
    count = checked_multiply(*count, dim);
    if (!count || *count > kMaxElements) {
      throw Error(ErrorCode::kCorrupt, fmt::format("shape {}: found more than 2^62 elements, expected fewer", to_string(shape)),
                  "the file that declares this shape is damaged");
    }
  }
  return *count;
}

}  // namespace

uint64_t element_count(const Shape& shape) { return product(shape, shape); }

uint64_t cols_of(const Shape& shape) { return shape.empty() ? 1 : shape.back(); }

uint64_t rows_of(const Shape& shape) {
  if (shape.empty()) return 1;
  return product(std::span(shape).first(shape.size() - 1), shape);
}

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

}  // namespace hf2mlx
