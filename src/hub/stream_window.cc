// See stream_window.h.
#include "hub/stream_window.h"

#include "io/file_posix.h"

namespace hf2mlx {

namespace fs = std::filesystem;

WindowStore::WindowStore(uint64_t window_bytes, size_t slots, fs::path overflow)
    : window_bytes_(window_bytes), overflow_(std::move(overflow)), memory_(slots), windows_(slots, SIZE_MAX) {
  for (size_t i = slots; i > 0; --i) free_.push_back(static_cast<uint32_t>(i - 1));
}

WindowStore::~WindowStore() {
  std::error_code ignored;
  if (writer_) fs::remove(overflow_, ignored);
}

uint32_t WindowStore::take(size_t window) {
  const uint32_t slot = free_.back();
  if (!memory_[slot]) memory_[slot].reset(new std::byte[window_bytes_]);  // libc++ 14 has no make_unique_for_overwrite
  free_.pop_back();
  windows_[slot] = window;
  return slot;
}

uint32_t WindowStore::take_on_disk() {
  if (!writer_) {
    std::error_code ignored;
    fs::remove(overflow_, ignored);  // of a run that was killed
    writer_ = create_writer(overflow_);
  }
  if (free_on_disk_.empty()) return places_++;
  const uint32_t place = free_on_disk_.back();
  free_on_disk_.pop_back();
  return place;
}

void WindowStore::write(uint32_t place, std::span<const std::byte> data) { writer_->write_at(place * window_bytes_, data); }

void WindowStore::read(uint32_t place, uint64_t offset, std::span<std::byte> out) const {
  open_reader(overflow_)->read_at(place * window_bytes_ + offset, out);
}

}  // namespace hf2mlx
