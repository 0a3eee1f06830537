// Shapes and checked sizes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hf2mlx {

using Shape = std::vector<uint64_t>;

// Products are checked: more than 2^62 elements is an Error{kCorrupt}.
uint64_t element_count(const Shape& shape);
// The length of the last axis (1 for a scalar), and the product of the others: a tensor as rows × cols.
uint64_t cols_of(const Shape& shape);
uint64_t rows_of(const Shape& shape);
std::string to_string(const Shape& shape);  // "[320, 128]"

}  // namespace hf2mlx
