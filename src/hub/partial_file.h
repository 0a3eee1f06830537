// A file that arrives in order and may have begun to arrive in an earlier run.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "hub/tree.h"
#include "io/digest.h"
#include "io/file.h"

namespace hf2mlx {

// Not thread-safe; one at a time for a path.
class PartialFile {
 public:
  // Opens what there is and reads it once for the checksum; what is longer than the whole begins anew.
  PartialFile(std::filesystem::path path, const TreeEntry& entry);

  uint64_t size_bytes() const { return size_bytes_; }
  bool is_whole() const { return size_bytes_ == entry_.size_bytes; }
  void append(std::span<const std::byte> data);
  void restart();
  // Whether the content is what the tree says. Nothing may be appended afterwards.
  bool is_right();
  // Under another name it is out of the way; then begins anew.
  void set_aside(const std::filesystem::path& name);
  void sync() { writer_->sync(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  void begin_digest();

  std::filesystem::path path_;
  const TreeEntry& entry_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Digest> digest_;
  uint64_t size_bytes_ = 0;
};

// The digest of the tree entry that begins with no content: SHA-256, or SHA-1 as Git computes it.
Digest begin_digest_of(const TreeEntry& entry);
// Whether this file has the size and checksum that the tree says. Reads all of it.
bool has_content(const std::filesystem::path& path, const TreeEntry& entry);

}  // namespace hf2mlx
