// How a folder was made of its source: as its manifest says, or else as its config.json and tensors show.
#pragma once

#include "arch/registry.h"
#include "plan/plan.h"
#include "source/checkpoint.h"
#include "verify/folder.h"

namespace hf2mlx {

struct Remade {
  ConvertOptions options;
  Plan plan;                   // of the source with these options
  bool from_manifest = false;  // otherwise the encoding of each layer is taken from the folder itself
  bool is_exact = true;        // the manifest states nothing that cannot be repeated here, such as an importance matrix
};

// Error where the source cannot be converted so.
Remade remake(const ModelFolder& folder, const Checkpoint& source, const SourceOptions& source_options, const Registry& registry);

}  // namespace hf2mlx
