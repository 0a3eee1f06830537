// The public call. See hf2mlx/download.h.
#include "hf2mlx/download.h"

#include <chrono>

#include "hub/downloader.h"
#include "hub/http_curl.h"

namespace hf2mlx {

DownloadReport download(const DownloadOptions& options, Progress* progress, const CancelToken* cancel) {
  const auto start = std::chrono::steady_clock::now();
  HubLink link(options.hub, curl_connections(options.hub), cancel);
  DownloadReport report = Downloader(options, link, progress).run();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace hf2mlx
