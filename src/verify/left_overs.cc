// Files that do not belong into a model folder, and the digests of those that do.
#include <fmt/format.h>

#include <algorithm>
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

bool leads_out(const std::string& file) {
  const std::filesystem::path path(file);
  return path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end() || file.find('\0') != file.npos;
}

struct Recorded {
  std::string file;
  uint64_t size_bytes;
  std::string sha256;  // empty: was not computed
};

// The files that the manifest lists; those it lists in another form than ours are left out.
std::vector<Recorded> recorded_files(const Json& manifest) {
  std::vector<Recorded> out;
  const Json files = manifest.is_object() ? manifest.value("files", Json()) : Json();
  if (!files.is_object()) return out;
  for (const auto& [name, entry] : files.items()) {
    if (!entry.is_object() || leads_out(name)) continue;
    const Json size = entry.value("size", Json());
    const Json sha256 = entry.value("sha256", Json(""));
    if (size.is_number_unsigned() && sha256.is_string()) out.push_back({name, size.get<uint64_t>(), sha256.get<std::string>()});
  }
  return out;
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
std::string difference(const std::filesystem::path& folder, const Recorded& recorded, Hasher& hasher) {
  std::error_code error;
  if (!std::filesystem::exists(folder / recorded.file, error)) return "is not there any more";
  const std::unique_ptr<Reader> file = open_reader(folder / recorded.file);
  if (file->size() != recorded.size_bytes) return fmt::format("has {} bytes, {} expected", file->size(), recorded.size_bytes);
  if (recorded.sha256.empty()) return {};
  const std::string& found = hasher.sha256(recorded.file, *file);
  return found == recorded.sha256 ? "" : fmt::format("has SHA-256 {}, {} expected", found, recorded.sha256);
}

void report(const Recorded& recorded, const std::string& difference, Findings& findings) {
  Finding finding{.check = "manifest.changed",
                  .place = recorded.file,
                  .reason = difference + ": it was changed after the conversion",
                  .remedy = "convert again, unless you have changed it yourself"};
  if (is_any_weight_file(recorded.file) && !recorded.file.ends_with(".json")) {
    findings.error(finding);
  } else if (recorded.file == "README.md") {
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
  std::vector<Recorded> files;
  try {
    files = recorded_files(read_json_file(folder.path / kManifestFile));
  } catch (const Error& error) {
    findings.warning({.check = "files.json", .place = kManifestFile, .reason = error.what(), .remedy = "convert again, or remove it"});
    return {};
  }
  uint64_t total_bytes = 0;
  for (const Recorded& file : files) total_bytes += file.size_bytes;
  if (progress) progress->begin("checking digests", total_bytes);
  Hasher hasher(progress, cancel);
  for (const Recorded& file : files) {
    if (const std::string found = difference(folder.path, file, hasher); !found.empty()) report(file, found, findings);
  }
  if (progress) progress->end();
  return hasher.found();
}

}  // namespace hf2mlx
