// See space_posix.h.
#include "io/space_posix.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <map>

#include "base/system_error.h"
#include "io/folders.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

dev_t disk_of(const fs::path& path) {
  struct stat status {};
  ::stat(existing_part(path).c_str(), &status);
  return status.st_dev;
}

}  // namespace

uint64_t free_space(const fs::path& path) {
  std::error_code error;
  const fs::path existing = existing_part(path);
  const fs::space_info space = fs::space(existing, error);
  throw_if(error, existing.string() + ": cannot tell the free space");
  return space.available;
}

void check_space(const std::vector<SpaceNeed>& needs, const std::string& hint) {
  std::map<dev_t, uint64_t> needed;
  for (const SpaceNeed& need : needs) needed[disk_of(need.path)] += need.bytes;
  for (const SpaceNeed& need : needs) {
    const uint64_t needed_here = needed[disk_of(need.path)];
    const uint64_t free = free_space(need.path);
    if (needed_here <= free) continue;
    throw Error(ErrorCode::kNoSpace, fmt::format("{}: {} bytes are free, {} are needed", need.path.string(), free, needed_here), hint);
  }
}

}  // namespace hf2mlx
