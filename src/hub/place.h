// Where downloaded files go.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "hub/tree.h"

namespace hf2mlx {

enum class Presence {
  kThere,    // nothing is left to do
  kAtHand,   // the content seems to be on this machine: adopt() does the rest
  kMissing,  // it has to be downloaded
};

// Thread-safe for different entries; for the same one its lock must be held, but for looking.
class Place {
 public:
  virtual ~Place() = default;
  virtual Presence look(const TreeEntry& entry) const = 0;
  // Takes what is at hand, checked; false when there is nothing that is right.
  virtual bool adopt(const TreeEntry& entry) = 0;
  virtual std::filesystem::path lock_of(const TreeEntry& entry) const = 0;
  virtual std::filesystem::path partial_of(const TreeEntry& entry) const = 0;
  // Takes a file that is complete and right.
  virtual void keep(const TreeEntry& entry, const std::filesystem::path& partial) = 0;

  virtual std::filesystem::path folder() const = 0;       // that the files are found in
  virtual std::filesystem::path tree_folder() const = 0;  // that holds trees/
  virtual void mark() = 0;                                // says to backup programs that all this can be had again
};

// The cache of huggingface_hub: contents by ETag in blobs/, relative links to them in snapshots/<commit>/.
std::unique_ptr<Place> cache_place(const std::filesystem::path& cache_dir, const std::string& repo_id, const std::string& commit);

// Plain files in a folder, and beside them in .cache/huggingface/ what huggingface_hub needs to know that they are current. What is in the
// cache is copied from there.
std::unique_ptr<Place> local_place(const std::filesystem::path& local_dir, const std::filesystem::path& cache_dir,
                                   const std::string& repo_id, const std::string& commit);

// refs/<revision> of a repository's folder in the cache. Nothing for a revision that is not known there.
std::optional<std::string> read_cached_ref(const std::filesystem::path& repo_folder, const std::string& revision);
void write_cached_ref(const std::filesystem::path& repo_folder, const std::string& revision, const std::string& commit);

}  // namespace hf2mlx
