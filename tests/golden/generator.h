// Values of the tensors of golden cases: a function of name, dtype and count that any language can repeat (README.md here).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/dtype.h"

namespace hf2mlx::golden {

// `fill` is one of README.md's words, or empty for the default of the dtype. Throws std::invalid_argument on any other.
std::vector<std::byte> tensor_values(std::string_view name, Dtype dtype, uint64_t count, std::string_view fill);

}  // namespace hf2mlx::golden
