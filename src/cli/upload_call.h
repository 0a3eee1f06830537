// An upload with progress, and what is said of it: hf2mlx upload, and hf2mlx convert --upload-repo.
#pragma once

#include "cli/console.h"
#include "hf2mlx/upload.h"

namespace hf2mlx::cli {

// Sums it up on stderr, unless that is to be quiet.
UploadReport upload_watched(const Context& context, const UploadOptions& options, Quiet quiet);

}  // namespace hf2mlx::cli
