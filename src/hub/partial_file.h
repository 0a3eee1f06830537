// A file that arrives in pieces, by several connections and over any number of runs.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "hub/arrivals.h"
#include "hub/part_fetch.h"
#include "hub/tree.h"
#include "io/digest.h"
#include "io/file.h"

namespace hf2mlx {

// On the disk it is the content, with gaps, and behind that which parts have arrived: one file, so neither is ever without the other.
// Thread-safe for different claims; one object at a time for a path.
class PartialFile final : public PartTarget {
 public:
  // Goes on with what there is, or reserves the space for a new one.
  PartialFile(std::filesystem::path path, const TreeEntry& entry);

  uint64_t arrived_bytes() const override;
  bool is_whole() const { return arrived_bytes() == entry_.size_bytes; }
  // See Arrivals.
  ByteRange claim(uint64_t wanted_bytes);
  void release(ByteRange range) override;
  bool has_claims() const;
  ByteRange restart_for(ByteRange claimed) override;
  void write(ByteRange& claimed, std::span<const std::byte> data) override;

  // The rest are for one thread, while nothing is claimed.
  // Whether the content is what the tree says. Only when it is whole, and once.
  bool is_right();
  // The content alone is left, under this name.
  void finish();
  // The content goes out of the way under another name; then begins anew.
  void set_aside(const std::filesystem::path& name);
  const std::filesystem::path& path() const { return path_; }

 private:
  void open();
  void begin(Arrivals arrivals);
  void write_journal(ByteRange blocks);
  void cut_journal();
  void hash_if_idle(uint64_t offset, std::span<const std::byte> data);
  uint64_t end_to_hash() const;
  bool hash_some();

  const std::filesystem::path path_;
  const TreeEntry& entry_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Reader> reader_;

  mutable std::mutex mutex_;  // guards arrivals_ and the journal on the disk
  std::optional<Arrivals> arrivals_;

  std::mutex hash_mutex_;  // guards all below; never waited for but by is_right()
  std::optional<Digest> digest_;
  uint64_t hashed_bytes_ = 0;  // from the beginning
  std::vector<std::byte> buffer_;
};

// What of a partial file has arrived, without opening it for more; 0 when there is none.
uint64_t arrived_bytes_of(const std::filesystem::path& partial, const TreeEntry& entry);

// The digest of a file of that size, before its content: SHA-1 as Git computes it.
Digest begin_git_digest(uint64_t size_bytes);
// The digest that a tree entry states, before the content: SHA-256, or Git's.
Digest begin_digest_of(const TreeEntry& entry);
// Whether this file has the size and checksum that the tree says. Reads all of it.
bool has_content(const std::filesystem::path& path, const TreeEntry& entry);

}  // namespace hf2mlx
