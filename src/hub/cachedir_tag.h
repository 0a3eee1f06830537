// CACHEDIR.TAG: tells backup programs that a folder can be had again (https://bford.info/cachedir/).
#pragma once

#include <filesystem>

namespace hf2mlx {

// Byte for byte what huggingface_hub writes. A file of that name stays as it is.
void write_cachedir_tag(const std::filesystem::path& folder);

}  // namespace hf2mlx
