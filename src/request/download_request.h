// The options of a download, as a command line or a JSON object names them.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "hf2mlx/download.h"
#include "hf2mlx/places.h"

namespace hf2mlx {

struct DownloadArguments {
  std::vector<std::string> repos;  // more than one is an error
  std::string revision;
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::string local_dir;
  std::string use_links;  // accepted and without effect
  bool dry_run = false;
};
void declare_download(CLI::App& app, DownloadArguments& arguments);

// Throws Error{kUsage} unless exactly one repository is named.
DownloadOptions download_options(const DownloadArguments& arguments, const Places& places);

}  // namespace hf2mlx
