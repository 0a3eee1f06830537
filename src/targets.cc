// See targets.h.
#include "targets.h"

#include <fmt/format.h>

#include <algorithm>
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

// That an interrupted run has written or reserved already.
uint64_t taken_bytes(const Target& target) {
  uint64_t total = 0;
  for (const Shard& shard : target.plan.shards) total += disk_usage(target.staged.path() / shard.file_name);
  return total;
}

}  // namespace

ConvertOptions options_of(const ConvertOptions& options, const Variant& variant) {
  ConvertOptions own = options;
  own.quant = variant.quant;
  own.output = variant.output;
  return own;
}

Targets make_targets(const Checkpoint& checkpoint, const std::vector<Plan>& plans, const ConvertOptions& options,
                     const std::vector<Variant>& variants, const std::string& purpose) {
  if (!checkpoint.folder.empty()) {
    for (const Variant& variant : variants) check_disjoint(checkpoint.folder, variant.output);
  }
  Targets targets;
  for (size_t i = 0; i < variants.size(); ++i) {
    targets.push_back(std::make_unique<Target>(options_of(options, variants[i]), plans[i], purpose));
  }
  return targets;
}

void check_targets(const std::vector<Variant>& variants, Existing existing) {
  std::set<std::filesystem::path> paths;
  for (const Variant& variant : variants) {
    check_target(variant.output, existing);
    const std::filesystem::path path = resolve_target(variant.output);
    if (!paths.insert(path).second)
      throw Error(ErrorCode::kUsage, path.string() + ": found as the target of two variants, a folder for each expected");
  }
}

std::vector<SpaceNeed> space_needs(const Checkpoint& checkpoint, const std::vector<Plan>& plans, const std::vector<Variant>& variants) {
  std::vector<SpaceNeed> needs;
  for (size_t i = 0; i < plans.size(); ++i) needs.push_back({resolve_target(variants[i].output), needed_bytes(checkpoint, plans[i])});
  return needs;
}

void check_space(const Checkpoint& checkpoint, const Targets& targets) {
  std::vector<SpaceNeed> needs;
  for (const auto& target : targets) {
    const uint64_t all = needed_bytes(checkpoint, target->plan);
    needs.push_back({target->path, all - std::min(all, taken_bytes(*target))});
  }
  check_space(needs, "free some space or choose a target on another disk");
}

}  // namespace hf2mlx
