// Tied embeddings: the weights are the truth, config.json makes a claim.
#pragma once

#include <optional>
#include <string>

#include "plan/plan.h"
#include "source/checkpoint.h"

namespace hf2mlx {

// A head that lies in the checkpoint and not in the plan, as config.json says that it is the embedding: what the user should know where it
// is not. Reads both side by side up to the first difference, in 1 MB of memory.
std::optional<std::string> note_on_dropped_head(const Checkpoint& checkpoint, const Plan& plan);

}  // namespace hf2mlx
