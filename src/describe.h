// Plans and checkpoints in the words of the public structs.
#pragma once

#include <vector>

#include "hf2mlx/report.h"
#include "plan/plan.h"
#include "source/checkpoint.h"

namespace hf2mlx {

// Everything but output, files, tensors and seconds.
Report describe(const Checkpoint& checkpoint, const Plan& plan);
std::vector<TensorReport> describe_tensors(const Plan& plan);
// How the user may call the model: org/name where known, else its folder's name.
std::string display_name(const Checkpoint& checkpoint);
// How the source itself is quantized: "none", "affine 4-bit g64", "fp8", ...
std::string source_quantization(const Checkpoint& checkpoint);

}  // namespace hf2mlx
