// What encodings would lose, without writing anything.
#pragma once

#include <vector>

#include "hf2mlx/progress.h"
#include "pipeline/blocks.h"
#include "pipeline/loss.h"
#include "plan/plan.h"

namespace hf2mlx {

// Of each step, which must have an encoding. Steps of one value follow each other, so that it is read once. The same for any number of
// threads and any amount of memory.
std::vector<Loss> measure_losses(const std::vector<Step>& steps, const PipelineOptions& options, Progress* progress,
                                 const CancelToken* cancel);

}  // namespace hf2mlx
