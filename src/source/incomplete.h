// The error for a model of which files are missing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hf2mlx/error.h"

namespace hf2mlx {

// Error{kNotFound, "FOLDER: incomplete snapshot: missing A, B"}; "incomplete model" outside of a Hugging Face cache.
Error incomplete_model(const std::filesystem::path& folder, const std::vector<std::string>& missing);

// Up to five words and how many others there are.
std::string shorten(const std::vector<std::string>& words);

}  // namespace hf2mlx
