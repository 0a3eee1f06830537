// The public call. See hf2mlx/upload.h.
#include "hf2mlx/upload.h"

#include <chrono>

#include "hub/http_curl.h"
#include "hub/uploader.h"

namespace hf2mlx {

UploadReport upload(const UploadOptions& options, Progress* progress, const CancelToken* cancel) {
  const auto start = std::chrono::steady_clock::now();
  UploadReport report = Uploader(options, curl_connections(options.hub), progress, cancel).run();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace hf2mlx
