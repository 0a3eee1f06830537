// Whole small files: configs, indexes, model cards.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace hf2mlx {

// Throws Error: kNotFound, kIo, or kCorrupt when it is larger than `max_bytes`.
std::string read_text_file(const std::filesystem::path& path, uint64_t max_bytes);

}  // namespace hf2mlx
