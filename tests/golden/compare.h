// What a conversion wrote, and how it differs from what was expected.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "golden/golden_case.h"

namespace hf2mlx::golden {

// Reads a model folder without any code of the library but the hash; throws std::runtime_error on a folder that is not well formed:
// bad extents, no {"format": "mlx"}, an index that does not name exactly the tensors that are there.
ModelDigest read_model(const std::filesystem::path& folder);

// Empty when they agree. A group size that mlx_lm left null may be any.
std::vector<std::string> differences(const ModelDigest& wanted, const ModelDigest& got);

}  // namespace hf2mlx::golden
