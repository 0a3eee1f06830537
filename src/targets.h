// The folders that a conversion fills.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hf2mlx/options.h"
#include "io/space_posix.h"
#include "io/staged_dir.h"
#include "io/target_path.h"
#include "pipeline/rounding_meter.h"
#include "plan/plan.h"
#include "source/checkpoint.h"
#include "writer/model_folder.h"

namespace hf2mlx {

inline constexpr uint64_t kFreelyHashedBytes = 512 << 20;  // of weights: a quarter of a second

// A target on its way: the options of its own, and the folder that will get its name.
struct Target {
  // `purpose` as in StagedDir.
  Target(ConvertOptions target_options, const Plan& target_plan, const std::string& purpose)
      : options(std::move(target_options)),
        path(resolve_target(options.output)),
        plan(target_plan),
        staged(path, options.force ? Existing::kReplace : Existing::kRefuse, purpose) {}

  // SHA-256 of a file goes at 2 GB/s at best, which is slower than copying.
  bool hashes_weights() const { return options.checksums || plan.output_bytes <= kFreelyHashedBytes; }

  const ConvertOptions options;
  const std::filesystem::path path;
  const Plan& plan;
  StagedDir staged;
  std::optional<RoundingMeter> meter = {};  // where plain rounding is not all that was done
  double relative_loss = 0;
  std::map<std::string, FileDigest> weight_digests = {};  // by file name, with SHA-256 where hashes_weights()
  WrittenFiles written = {};
};
using Targets = std::vector<std::unique_ptr<Target>>;

// The options of one variant.
ConvertOptions options_of(const ConvertOptions& options, const Variant& variant);

// Error as of check_target(), and kUsage for a target of two variants.
void check_targets(const std::vector<Variant>& variants, Existing existing);

// Makes the folder to fill for each variant, or none. Error as of StagedDir, and kUsage for a target in the source or around it.
Targets make_targets(const Checkpoint& checkpoint, const std::vector<Plan>& plans, const ConvertOptions& options,
                     const std::vector<Variant>& variants, const std::string& purpose = {});

// What the outputs will take.
std::vector<SpaceNeed> space_needs(const Checkpoint& checkpoint, const std::vector<Plan>& plans, const std::vector<Variant>& variants);

// Error{kNoSpace} where less is free than the targets need.
void check_space(const Checkpoint& checkpoint, const Targets& targets);

}  // namespace hf2mlx
