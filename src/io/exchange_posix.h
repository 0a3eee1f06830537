// Two folders change names.
#pragma once

#include <filesystem>

namespace hf2mlx {

// In one step: at no time is there nothing at either name. False, and nothing done, where the file system cannot.
bool exchange_folders(const std::filesystem::path& a, const std::filesystem::path& b);

// The same in three steps over `aside`, which must not exist. When a step fails, those before it are undone.
void exchange_by_renaming(const std::filesystem::path& a, const std::filesystem::path& b, const std::filesystem::path& aside);

void rename_folder(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace hf2mlx
