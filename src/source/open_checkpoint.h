// Opens a model: finds its folder, reads its configuration and the headers of its weights, lists its other files.
#pragma once

#include "hf2mlx/options.h"
#include "source/checkpoint.h"
#include "source/locate.h"
#include "source/model_files.h"

namespace hf2mlx {

// Throws Error: kUsage for a name that cannot be meant, kNotFound for what is not there, kCorrupt for what disagrees, kUnsupported for
// weights of another format, kIo. What counts as weights is in weights.h, what as other files in side_files.h, how models are found in
// locate.h.
Checkpoint open_checkpoint(const SourceOptions& options);
// The same of files that have been found already, in whatever place.
Checkpoint open_checkpoint(Location location, const ModelFiles& files);

}  // namespace hf2mlx
