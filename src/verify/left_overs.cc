// Files that do not belong into a model folder, and the digests of those that do.
#include <fmt/format.h>

#include <map>

#include "hf2mlx/error.h"
#include "io/digest.h"
#include "io/file_posix.h"
#include "source/incomplete.h"
#include "source/weight_names.h"
#include "verify/checks.h"
#include "writer/manifest.h"

namespace hf2mlx {
namespace {

bool is_unfinished(const std::string& name) {
  return name.ends_with(".incomplete") || name.ends_with(".part") || name.ends_with(".tmp") || name.ends_with(".crdownload") ||
         name.find(".hf2mlx-partial") != std::string::npos;
}

class Hasher {
 public:
  Hasher(Progress* progress, const CancelToken* cancel) : progress_(progress), cancel_(cancel) {}

  const std::string& sha256(const std::string& path, const Reader& file) {
    return found_[path] = digest_of(Digest(Hash::kSha256), file, [this](uint64_t bytes) {
             if (cancel_ && cancel_->cancelled()) throw Error(ErrorCode::kCancelled, "interrupted");
             done_bytes_ += bytes;
             if (progress_) progress_->advance(done_bytes_);
           });
  }
  const std::map<std::string, std::string>& found() const { return found_; }

 private:
  Progress* progress_;
  const CancelToken* cancel_;
  uint64_t done_bytes_ = 0;
  std::map<std::string, std::string> found_;  // by path
};

// How a file differs from what was recorded, or nothing.
std::string difference(const std::filesystem::path& path, const std::string& name, const FileDigest& recorded, Hasher& hasher) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return "is not there any more";
  const std::unique_ptr<Reader> file = open_reader(path);
  if (file->size() != recorded.size_bytes) return fmt::format("has {} bytes, {} expected", file->size(), recorded.size_bytes);
  if (recorded.sha256.empty()) return {};
  const std::string& found = hasher.sha256(name, *file);
  return found == recorded.sha256 ? "" : fmt::format("has SHA-256 {}, {} expected", found, recorded.sha256);
}

void report(const std::string& name, const std::string& difference, Findings& findings) {
  Finding finding{.check = "manifest.changed",
                  .place = name,
                  .reason = difference + ": it was changed after the conversion",
                  .remedy = "convert again, unless you have changed it yourself"};
  if (is_any_weight_file(name) && !name.ends_with(".json")) {
    findings.error(finding);
  } else if (name == "README.md") {
    findings.note(finding);
  } else {
    findings.warning(finding);
  }
}

}  // namespace

void check_left_overs(const ModelFolder& folder, Findings& findings) {
  std::vector<std::string> unfinished, others;
  for (const std::string& name : folder.names) {
    if (is_unfinished(name)) unfinished.push_back(name);
    if (is_any_weight_file(name) && !is_mlx_weight_file(name) && name != kWeightIndexFile) others.push_back(name);
  }
  if (!unfinished.empty()) {
    findings.warning({.check = "files.unfinished",
                      .place = unfinished.front(),
                      .reason = fmt::format("left over from a download or conversion that did not end: {}", shorten(unfinished)),
                      .remedy = "remove it, and see whether the model is complete"});
  }
  if (!others.empty()) {
    findings.note({.check = "files.other-weights",
                   .place = others.front(),
                   .reason = fmt::format("weights that no MLX program loads: {}", shorten(others)),
                   .remedy = "remove them to save space"});
  }
}

std::map<std::string, std::string> check_manifest(const ModelFolder& folder, Progress* progress, const CancelToken* cancel,
                                                  Findings& findings) {
  if (!folder.has(kManifestFile)) return {};
  std::map<std::string, FileDigest> files;
  try {
    files = recorded_files(read_json_file(folder.path / kManifestFile));
  } catch (const Error& error) {
    findings.warning({.check = "files.json", .place = kManifestFile, .reason = error.what(), .remedy = "convert again, or remove it"});
    return {};
  }
  uint64_t total_bytes = 0;
  for (const auto& [name, file] : files) total_bytes += file.size_bytes;
  if (progress) progress->begin("checking digests", total_bytes);
  Hasher hasher(progress, cancel);
  for (const auto& [name, file] : files) {
    if (const std::string found = difference(folder.path / name, name, file, hasher); !found.empty()) report(name, found, findings);
  }
  if (progress) progress->end();
  return hasher.found();
}

}  // namespace hf2mlx
