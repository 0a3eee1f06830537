// The cache of huggingface_hub. See place.h.
#include <fmt/format.h>

#include <algorithm>

#include "base/system_error.h"
#include "hub/cachedir_tag.h"
#include "hub/place.h"
#include "source/hf_cache.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

bool has_size(const fs::path& path, uint64_t size_bytes) {
  std::error_code error;
  return fs::is_regular_file(path, error) && fs::file_size(path, error) == size_bytes && !error;
}

class CachePlace final : public Place {
 public:
  CachePlace(const fs::path& cache_dir, const std::string& repo_id, const std::string& commit)
      : cache_dir_(cache_dir), repo_folder_(cache_dir / folder_of_repo(repo_id)), commit_(commit) {}

  // Contents are checked before they get their name, so the size tells enough: it finds files that were cut afterwards.
  Presence look(const TreeEntry& entry) const override {
    if (has_size(folder() / entry.path, entry.size_bytes)) return Presence::kThere;
    return has_size(blob(entry), entry.size_bytes) ? Presence::kAtHand : Presence::kMissing;
  }

  bool adopt(const TreeEntry& entry) override {
    if (!has_size(blob(entry), entry.size_bytes)) return false;
    link(entry);
    return true;
  }

  fs::path lock_of(const TreeEntry& entry) const override {
    return cache_dir_ / ".locks" / repo_folder_.filename() / (entry.etag() + ".lock");
  }

  // Not "<etag>.incomplete", which huggingface_hub 1.x goes on with at its end.
  fs::path partial_of(const TreeEntry& entry) const override { return blob(entry).string() + ".hf2mlx.incomplete"; }

  void keep(const TreeEntry& entry, const fs::path& partial) override {
    std::error_code error;
    fs::rename(partial, blob(entry), error);
    throw_if(error, partial.string() + ": cannot be renamed");
    link(entry);
  }

  fs::path folder() const override { return repo_folder_ / "snapshots" / commit_; }
  fs::path tree_folder() const override { return repo_folder_; }
  void mark() override { write_cachedir_tag(cache_dir_); }

 private:
  fs::path blob(const TreeEntry& entry) const { return repo_folder_ / "blobs" / entry.etag(); }

  void link(const TreeEntry& entry) {
    const fs::path name = folder() / entry.path;
    std::error_code error;
    fs::create_directories(name.parent_path(), error);
    throw_if(error, name.parent_path().string() + ": folder cannot be made");
    fs::remove(name, error);
    throw_if(error, name.string() + ": cannot be replaced");
    // Relative, so that the cache can be moved.
    const auto depth = std::count(entry.path.begin(), entry.path.end(), '/') + 2;
    std::string target;
    for (auto i = depth; i > 0; --i) target += "../";
    fs::create_symlink(target + "blobs/" + entry.etag(), name, error);
    if (!error) return;
    throw Error(ErrorCode::kIo, fmt::format("{}: symbolic link cannot be made: {}", name.string(), error.message()),
                "the cache needs a file system with symbolic links; --local-dir does without");
  }

  const fs::path cache_dir_;
  const fs::path repo_folder_;
  const std::string commit_;
};

}  // namespace

std::unique_ptr<Place> cache_place(const fs::path& cache_dir, const std::string& repo_id, const std::string& commit) {
  return std::make_unique<CachePlace>(cache_dir, repo_id, commit);
}

}  // namespace hf2mlx
