// See targets.h.
#include "targets.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "hf2mlx/error.h"
#include "io/file_posix.h"
#include "io/target_path.h"

namespace hf2mlx {
namespace {

// Bytes that an output will take on disk.
uint64_t needed_bytes(const Checkpoint& checkpoint, const Plan& plan) {
  constexpr uint64_t kForSmallFiles = 1 << 20;
  uint64_t total = kForSmallFiles;
  for (const Shard& shard : plan.shards) total += shard.size_bytes;
  for (const SideFile& file : checkpoint.side_files) total += file.size_bytes;
  return total;
}

}  // namespace

Targets make_targets(const Checkpoint& checkpoint, const std::vector<Plan>& plans, const ConvertOptions& options,
                     const std::vector<Variant>& variants) {
  std::set<std::filesystem::path> paths;
  for (const Variant& variant : variants) {
    const std::filesystem::path path = resolve_target(variant.output);
    check_disjoint(checkpoint.folder, path);
    if (!paths.insert(path).second)
      throw Error(ErrorCode::kUsage, path.string() + ": found as the target of two variants, a folder for each expected");
  }
  Targets targets;
  for (size_t i = 0; i < variants.size(); ++i) {
    ConvertOptions own = options;
    own.quant = variants[i].quant;
    own.output = variants[i].output;
    targets.push_back(std::make_unique<Target>(std::move(own), plans[i]));
  }
  return targets;
}

void check_space(const Checkpoint& checkpoint, const Targets& targets) {
  std::map<std::filesystem::path, uint64_t> needed;
  for (const auto& target : targets) needed[target->path.parent_path()] += needed_bytes(checkpoint, target->plan);
  for (const auto& target : targets) {
    const uint64_t needed_here = needed[target->path.parent_path()];
    const uint64_t free = free_space(target->staged.path());
    if (needed_here <= free) continue;
    throw Error(ErrorCode::kNoSpace, fmt::format("{}: {} bytes are free, {} are needed", target->staged.path().string(), free, needed_here),
                "free some space or choose a target on another disk");
  }
}

}  // namespace hf2mlx
