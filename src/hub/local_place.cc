// Plain files in a folder. See place.h; the names and contents in .cache/huggingface/ are those of huggingface_hub.
#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "base/system_error.h"
#include "base/text_file.h"
#include "hub/cachedir_tag.h"
#include "hub/partial_file.h"
#include "hub/place.h"
#include "io/digest.h"
#include "io/file_posix.h"
#include "source/download_metadata.h"
#include "source/hf_cache.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr size_t kShortHashDigits = 16;

double now_seconds() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

bool has_size(const fs::path& path, const TreeEntry& entry) {
  std::error_code error;
  return fs::is_regular_file(path, error) && fs::file_size(path, error) == entry.size_bytes && !error;
}

class LocalPlace final : public Place {
 public:
  LocalPlace(const fs::path& local_dir, const fs::path& cache_dir, const std::string& repo_id, const std::string& commit)
      : local_dir_(local_dir), cached_(cache_dir / folder_of_repo(repo_id) / "snapshots" / commit), commit_(commit) {}

  Presence look(const TreeEntry& entry) const override {
    if (is_known(entry) && read_download_metadata(metadata_of(entry))->commit == commit_) return Presence::kThere;
    return has_size(local_dir_ / entry.path, entry) || has_size(cached_ / entry.path, entry) ? Presence::kAtHand : Presence::kMissing;
  }

  bool adopt(const TreeEntry& entry) override {
    if (is_known(entry) || has_content(local_dir_ / entry.path, entry)) {
      write_metadata(entry);
      return true;
    }
    if (!has_size(cached_ / entry.path, entry)) return false;
    copy_from_cache(entry);
    return true;
  }

  fs::path lock_of(const TreeEntry& entry) const override { return download_folder() / (entry.path + ".lock"); }

  fs::path partial_of(const TreeEntry& entry) const override {
    const fs::path metadata = metadata_of(entry);
    Digest digest(Hash::kSha1);
    const std::string name = metadata.filename().string();
    digest.update(std::as_bytes(std::span(name)));
    return metadata.parent_path() / fmt::format("{}.{}.hf2mlx.incomplete", digest.finish().substr(0, kShortHashDigits), entry.etag());
  }

  void keep(const TreeEntry& entry, const fs::path& partial) override {
    const fs::path file = local_dir_ / entry.path;
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    throw_if(error, file.parent_path().string() + ": folder cannot be made");
    fs::rename(partial, file, error);
    throw_if(error, file.string() + ": cannot be replaced");
    write_metadata(entry);
  }

  fs::path folder() const override { return local_dir_; }
  fs::path tree_folder() const override { return local_dir_ / ".cache" / "huggingface"; }

  void mark() override {
    write_cachedir_tag(tree_folder());
    std::error_code error;
    if (!fs::exists(tree_folder() / ".gitignore", error)) replace_file(tree_folder() / ".gitignore", "*");
  }

 private:
  fs::path download_folder() const { return tree_folder() / "download"; }
  fs::path metadata_of(const TreeEntry& entry) const { return download_metadata_of(local_dir_, entry.path); }

  // By what was noted down when it was put here.
  bool is_known(const TreeEntry& entry) const {
    const fs::path file = local_dir_ / entry.path;
    const std::optional<DownloadMetadata> metadata = read_download_metadata(metadata_of(entry));
    return has_size(file, entry) && metadata && metadata->etag == entry.etag() && is_unchanged_since(file, metadata->seconds);
  }

  void write_metadata(const TreeEntry& entry) {
    replace_file(metadata_of(entry), fmt::format("{}\n{}\n{:.7f}\n", commit_, entry.etag(), now_seconds()));
  }

  void copy_from_cache(const TreeEntry& entry) {
    const fs::path partial = partial_of(entry);
    std::error_code error;
    fs::remove(partial, error);
    copy_content(cached_ / entry.path, partial);
    keep(entry, partial);
  }

  const fs::path local_dir_;
  const fs::path cached_;
  const std::string commit_;
};

}  // namespace

std::unique_ptr<Place> local_place(const fs::path& local_dir, const fs::path& cache_dir, const std::string& repo_id,
                                   const std::string& commit) {
  return std::make_unique<LocalPlace>(local_dir, cache_dir, repo_id, commit);
}

}  // namespace hf2mlx
