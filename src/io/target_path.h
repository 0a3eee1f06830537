// Where output goes: what a target path means and when it is refused.
#pragma once

#include <filesystem>

namespace hf2mlx {

// The absolute path of a target folder that exists or not. Trailing slashes, "." and ".." are gone and links are resolved, also when the
// target itself is a link to a folder: then that folder is the target and the link stays. Error{kUsage} for an empty path, the root, a
// file, a path through a file, and a link that leads nowhere.
std::filesystem::path resolve_target(const std::filesystem::path& target);

// Error{kUsage} when the target is the source, lies inside it, or contains it, links resolved. `source` must exist.
void check_disjoint(const std::filesystem::path& source, const std::filesystem::path& target);

}  // namespace hf2mlx
