// See download_request.h.
#include "request/download_request.h"

#include "hf2mlx/error.h"
#include "request/options.h"

namespace hf2mlx {

void declare_download(CLI::App& app, DownloadArguments& arguments) {
  add_repeatable(app, "REPO", arguments.repos, "REPO", "org/name on the hub; org/name@revision names a branch, tag or commit")
      ->group("Model");
  add_value(app, "--revision", arguments.revision, "REVISION", "branch, tag or commit (default: main)")->group("Model");
  add_repeatable(app, "--include", arguments.include, "PATTERN",
                 "download the files that PATTERN matches; '*' matches '/' too (default: what a conversion needs)")
      ->group("Files");
  add_repeatable(app, "--exclude", arguments.exclude, "PATTERN", "but not those that PATTERN matches")->group("Files");
  add_value(app, "--local-dir", arguments.local_dir, "FOLDER", "write plain files to FOLDER, not the Hugging Face cache")
      ->group("Where to");
  add_value(app, "--local-dir-use-symlinks", arguments.use_links, "WORD", "accepted and without effect: --local-dir never makes links")
      ->group("Where to");
  app.add_flag("--dry-run", arguments.dry_run, "say what would be downloaded, and download nothing")->group("Output");
}

DownloadOptions download_options(const DownloadArguments& arguments, const Places& places) {
  if (arguments.repos.size() != 1) throw Error(ErrorCode::kUsage, "expected one REPO", "hf2mlx download org/name");
  DownloadOptions options;
  options.repo = arguments.repos.front();
  options.revision = arguments.revision;
  options.cache_dir = places.hub_cache;
  if (!arguments.local_dir.empty()) options.local_dir = std::filesystem::absolute(arguments.local_dir).lexically_normal();
  options.include = arguments.include;
  options.exclude = arguments.exclude;
  options.dry_run = arguments.dry_run;
  options.hub = hub_options(places);
  return options;
}

}  // namespace hf2mlx
