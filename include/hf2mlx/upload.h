/// \file A model folder to a repository of the Hugging Face hub. Like the calls in convert.h: silent, thread-safe, throws Error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "hf2mlx/export.h"
#include "hf2mlx/options.h"
#include "hf2mlx/progress.h"

namespace hf2mlx {

struct UploadOptions {
  std::filesystem::path folder;
  std::string repo;                                ///< org/name; made where there is none
  std::string message;                             ///< of the commit; empty: a plain one
  HubOptions hub;                                  ///< with a token that may write
  std::map<std::string, std::string> sha256 = {};  ///< of files of the folder, by path in it, where it is known: not computed once more
};

struct UploadedFile {
  std::string path;
  uint64_t size_bytes = 0;
  bool was_there = false;  ///< the repository had the same content under that name
};

struct UploadReport {
  std::string repo_id;
  std::string commit;                ///< that has the files
  std::string url;                   ///< of the repository
  std::vector<UploadedFile> files;   ///< sorted by path
  std::vector<std::string> removed;  ///< weight files of an earlier model, which a loader would take for this one's
  uint64_t total_bytes = 0;          ///< of all files
  uint64_t sent_bytes = 0;           ///< in this run, of large files
  double seconds = 0;
};

/// When it returns, the branch main has every file of the folder, but for what version control and caches leave there (.git, .cache). All
/// of it appears in one commit, at the end: a run that is interrupted changes nothing, and the next one does not send again what the hub
/// has. Any number of calls may run at once. Throws Error: kUsage for a name that cannot be a repository's; kNotFound where there is no
/// folder, no file in it, or no such repository and none can be made; kAuth without a token, and where the hub refuses it; kNetwork for a
/// hub that cannot be reached, for what it does not take, and while offline; kCorrupt for answers that make no sense; kIo for a file
/// that cannot be read; kCancelled.
HF2MLX_API UploadReport upload(const UploadOptions& options, Progress* progress = nullptr, const CancelToken* cancel = nullptr);

}  // namespace hf2mlx
