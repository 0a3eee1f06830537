/// \file Models of the Hugging Face hub, into its cache or a folder. Like the calls in convert.h: silent, thread-safe, throws Error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hf2mlx/export.h"
#include "hf2mlx/options.h"
#include "hf2mlx/progress.h"

namespace hf2mlx {

struct DownloadOptions {
  std::string repo;                  ///< org/name, or org/name@revision
  std::string revision;              ///< branch, tag or commit; empty: main
  std::filesystem::path cache_dir;   ///< the Hugging Face hub cache
  std::filesystem::path local_dir;   ///< a folder of plain files in place of the cache; may be empty
  std::vector<std::string> include;  ///< shell patterns, "*" matches "/" too; empty: what a conversion needs
  std::vector<std::string> exclude;  ///< of these, not those
  bool dry_run = false;              ///< only say what would be done
  HubOptions hub;
};

struct DownloadedFile {
  std::string path;
  uint64_t size_bytes = 0;
  bool was_there = false;
};

struct DownloadReport {
  std::string repo_id;
  std::string revision;
  std::string commit;
  std::filesystem::path folder;       ///< where the files are
  std::vector<DownloadedFile> files;  ///< sorted by path
  uint64_t total_bytes = 0;           ///< of all files
  uint64_t received_bytes = 0;        ///< in this run; for a dry run: that would be
  std::vector<std::string> notes;
  double seconds = 0;
};

/// When it returns, every file is there and its checksum is right. What arrived of a file stays if the run ends early, and the next one
/// goes on from there. Any number of processes may do this at once, huggingface_hub's among them. Throws
/// Error: kUsage, kNotFound (repository, revision, nothing matches), kAuth, kNetwork, kCorrupt (a checksum), kNoSpace, kIo, kCancelled.
HF2MLX_API DownloadReport download(const DownloadOptions& options, Progress* progress = nullptr, const CancelToken* cancel = nullptr);

}  // namespace hf2mlx
