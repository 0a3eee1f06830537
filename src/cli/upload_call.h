// An upload with progress, and what is said of it: hf2mlx upload, and hf2mlx convert --upload-repo.
#pragma once

#include <functional>

#include "cli/console.h"
#include "hf2mlx/upload.h"

namespace hf2mlx::cli {

// Calls `upload` and sums it up on stderr, unless that is to be quiet.
UploadReport upload_watched(const Context& context, Quiet quiet, const std::function<UploadReport(Progress&, const CancelToken&)>& upload);

}  // namespace hf2mlx::cli
