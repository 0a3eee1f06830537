// Where output goes.
#include "io/target_path.h"

#include <fmt/format.h>

#include "base/system_error.h"
#include "io/folders.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

// By identity rather than by name: file systems may ignore case.
bool same_folder(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return fs::equivalent(a, b, error) && !error;
}

bool is_inside(fs::path inner, const fs::path& outer) {
  for (; inner.has_relative_path(); inner = inner.parent_path()) {
    if (same_folder(inner, outer)) return true;
  }
  return same_folder(inner, outer);
}

[[noreturn]] void refuse(const fs::path& target, std::string_view why, const char* hint) {
  throw Error(ErrorCode::kUsage, fmt::format("{}: {}", target.string(), why), hint);
}

}  // namespace

fs::path resolve_target(const fs::path& target) {
  if (target.empty()) throw Error(ErrorCode::kUsage, "the output path is empty", "name a folder");
  std::error_code error;
  fs::path resolved = fs::weakly_canonical(fs::absolute(target), error);
  throw_if(error, target.string() + ": cannot be resolved");
  if (!resolved.has_filename()) resolved = resolved.parent_path();
  if (!resolved.has_relative_path()) refuse(target, "is the root folder", "name a new folder");
  const fs::file_status status = fs::symlink_status(resolved, error);
  if (fs::is_symlink(status)) refuse(target, "is a symbolic link that leads nowhere", "remove the link or choose another folder");
  if (fs::exists(status) && !fs::is_directory(status)) refuse(target, "is a file, expected a folder", "choose another name");
  const fs::path above = existing_part(resolved.parent_path());
  if (!fs::is_directory(above, error))
    refuse(target, fmt::format("{} is a file, expected a folder", above.string()), "choose another place");
  return resolved;
}

void check_disjoint(const fs::path& source, const fs::path& target) {
  std::error_code error;
  const fs::path from = fs::canonical(source, error);
  throw_if(error, source.string() + ": cannot be resolved");
  const fs::path to = resolve_target(target);
  constexpr const char* kHint = "choose an output folder beside the source";
  if (same_folder(to, from)) refuse(target, "the output folder is the source folder", kHint);
  if (is_inside(to, from)) refuse(target, fmt::format("the output folder lies inside the source folder {}", source.string()), kHint);
  if (is_inside(from, to)) refuse(target, fmt::format("the output folder contains the source folder {}", source.string()), kHint);
}

}  // namespace hf2mlx
