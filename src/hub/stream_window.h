// Where the windows of a stream are: memory for a fixed number of them, and a file for those that have to wait longer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "io/file.h"

namespace hf2mlx {

// A part of a file, and what has become of it.
struct StreamWindow {
  enum class State : uint8_t {
    kAhead,    // not asked for yet
    kComing,   // a connection is at it
    kHere,     // in memory
    kLeaving,  // on its way to the disk
    kOnDisk,
    kGone,  // nobody needs it any more
  };
  State state = State::kAhead;
  uint16_t pins = 0;  // threads that are reading it just now
  uint32_t uses = 0;  // blocks that are still to read it
  uint32_t slot = 0;  // in memory or in the file
};

// Not thread-safe, but for the bytes of different slots.
class WindowStore {
 public:
  WindowStore(uint64_t window_bytes, size_t slots, std::filesystem::path overflow);
  ~WindowStore();  // removes the file

  bool has_free() const { return !free_.empty(); }
  uint32_t take(size_t window);
  void give_back(uint32_t slot) { free_.push_back(slot); }
  std::byte* data(uint32_t slot) { return memory_[slot].get(); }
  // The windows that were put into memory last, one for each slot that was ever used.
  const std::vector<size_t>& windows() const { return windows_; }

  // A place in the file. Its bytes may be written and read by any thread.
  uint32_t take_on_disk();
  void give_back_on_disk(uint32_t place) { free_on_disk_.push_back(place); }
  void write(uint32_t place, std::span<const std::byte> data);
  void read(uint32_t place, uint64_t offset, std::span<std::byte> out) const;

 private:
  const uint64_t window_bytes_;
  const std::filesystem::path overflow_;
  std::vector<std::unique_ptr<std::byte[]>> memory_;  // as far as it was needed
  std::vector<size_t> windows_;
  std::vector<uint32_t> free_;
  std::unique_ptr<Writer> writer_;
  uint32_t places_ = 0;
  std::vector<uint32_t> free_on_disk_;
};

}  // namespace hf2mlx
