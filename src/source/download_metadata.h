// What huggingface_hub notes of the files that it downloads into a plain folder: .cache/huggingface/download/<path>.metadata in it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace hf2mlx {

// What was known of a file when it was put there.
struct DownloadMetadata {
  std::string commit;
  std::string etag;
  double seconds = 0;  // since 1970
};

std::filesystem::path download_metadata_of(const std::filesystem::path& folder, const std::string& path);
// Nothing when there is none that can be read.
std::optional<DownloadMetadata> read_download_metadata(const std::filesystem::path& metadata);
// Later changes make the metadata worthless. A second more or less is the coarseness of some file systems.
bool is_unchanged_since(const std::filesystem::path& file, double seconds);

// The commit that all files of a folder are of; empty where that is not known, or where one of them was changed since.
std::string commit_of_folder(const std::filesystem::path& folder);

}  // namespace hf2mlx
