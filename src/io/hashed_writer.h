// A file that is written in any order and hashed meanwhile.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "io/digest.h"
#include "io/file.h"

namespace hf2mlx {

// SHA-256 goes from the beginning to the end. What is written just there is hashed from memory; what was written ahead of it is read back,
// a little with every write, while it is still in the page cache. Memory does not grow with the file.
// Thread-safe for disjoint ranges, as every Writer; each byte must be written once.
class HashedWriter final : public Writer {
 public:
  // `writer` writes the file of that path.
  HashedWriter(std::unique_ptr<Writer> writer, std::filesystem::path path);

  void write_at(uint64_t offset, std::span<const std::byte> data) override;
  void sync() override { writer_->sync(); }

  // 64 hexadecimal digits, of everything up to the last byte. Requires: there are no gaps, and nothing is being written; once.
  std::string finish();

 private:
  void add_written(uint64_t begin, uint64_t end);
  uint64_t end_of_written(uint64_t offset);
  void hash_if_idle(uint64_t offset, std::span<const std::byte> data);
  void hash_written(uint64_t most_bytes);

  const std::unique_ptr<Writer> writer_;
  const std::filesystem::path path_;

  std::mutex written_mutex_;              // guards written_
  std::map<uint64_t, uint64_t> written_;  // begin -> end, apart from each other

  std::mutex hash_mutex_;  // guards all below; writers never wait for it
  Digest digest_{Hash::kSha256};
  uint64_t hashed_bytes_ = 0;  // from the beginning
};

}  // namespace hf2mlx
