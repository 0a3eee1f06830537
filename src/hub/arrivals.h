// Which bytes of a file have arrived, when several connections bring them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hf2mlx {

struct ByteRange {
  uint64_t begin_bytes = 0;
  uint64_t end_bytes = 0;

  uint64_t size_bytes() const { return end_bytes - begin_bytes; }
  bool is_empty() const { return begin_bytes == end_bytes; }
  bool operator==(const ByteRange&) const = default;
};

// The file as blocks, and of each how many bytes, from its beginning, have arrived. Not thread-safe.
class Arrivals {
 public:
  static constexpr uint64_t kBlockBytes = 4 << 20;

  explicit Arrivals(uint64_t size_bytes);
  // From what counts() was; nothing where no file of this size can have that.
  static std::optional<Arrivals> from_counts(uint64_t size_bytes, std::span<const uint32_t> counts);

  uint64_t arrived_bytes() const { return arrived_bytes_; }
  bool is_whole() const { return arrived_bytes_ == size_bytes_; }
  // Everything from `offset` to here has arrived.
  uint64_t end_of_arrived(uint64_t offset) const;
  const std::vector<uint32_t>& counts() const { return counts_; }  // of each block

  // The first bytes that are missing and that nobody has claimed: not many more than `wanted_bytes`, nor less unless something is between.
  // Empty: there are none.
  ByteRange claim(uint64_t wanted_bytes);
  // The next `count` bytes of a claimed range, from `offset`; returns the blocks that changed: from the first to before the last.
  ByteRange add(uint64_t offset, uint64_t count);
  bool has_claims() const;  // of bytes that are missing
  // What of a claimed range has not arrived.
  void release(ByteRange range);

 private:
  ByteRange block(size_t i) const;
  bool is_free(size_t i) const;

  uint64_t size_bytes_;
  uint64_t arrived_bytes_ = 0;
  std::vector<uint32_t> counts_;
  std::vector<bool> claimed_;
};

}  // namespace hf2mlx
