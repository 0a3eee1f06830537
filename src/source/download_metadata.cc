// See download_metadata.h.
#include "source/download_metadata.h"

#include <sys/stat.h>

#include <sstream>

#include "base/text_file.h"
#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxMetadataBytes = 4096;
constexpr const char* kEnding = ".metadata";

fs::path metadata_folder(const fs::path& folder) { return folder / ".cache" / "huggingface" / "download"; }

}  // namespace

fs::path download_metadata_of(const fs::path& folder, const std::string& path) { return metadata_folder(folder) / (path + kEnding); }

std::optional<DownloadMetadata> read_download_metadata(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return std::nullopt;
  std::istringstream text(read_text_file(path, kMaxMetadataBytes));
  DownloadMetadata metadata;
  if (text >> metadata.commit >> metadata.etag >> metadata.seconds) return metadata;
  return std::nullopt;
}

bool is_unchanged_since(const fs::path& path, double seconds) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && static_cast<double>(status.st_mtime) - 1 <= seconds;
}

std::string commit_of_folder(const fs::path& folder) try {
  std::string commit;
  std::error_code error;
  for (fs::directory_iterator entry(metadata_folder(folder), error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() != kEnding) continue;
    const auto metadata = read_download_metadata(entry->path());
    if (!metadata || !is_unchanged_since(folder / entry->path().stem(), metadata->seconds)) return {};
    if (!commit.empty() && commit != metadata->commit) return {};
    commit = metadata->commit;
  }
  return commit;
} catch (const Error&) {
  return {};
}

}  // namespace hf2mlx
