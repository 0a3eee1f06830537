// See hashed_writer.h.
#include "io/hashed_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <vector>

#include "hf2mlx/error.h"
#include "io/file_posix.h"

namespace hf2mlx {
namespace {

constexpr uint64_t kPieceBytes = 256 << 10;
constexpr uint64_t kMostForAWrite = 4 << 20;  // read back, so that no write takes long

}  // namespace

HashedWriter::HashedWriter(std::unique_ptr<Writer> writer, std::filesystem::path path)
    : writer_(std::move(writer)), path_(std::move(path)) {}

void HashedWriter::write_at(uint64_t offset, std::span<const std::byte> data) {
  writer_->write_at(offset, data);
  if (data.empty()) return;
  add_written(offset, offset + data.size());
  hash_if_idle(offset, data);
}

void HashedWriter::add_written(uint64_t begin, uint64_t end) {
  const std::lock_guard lock(written_mutex_);
  const auto behind = written_.lower_bound(begin);
  if (behind != written_.end() && behind->first == end) {
    end = behind->second;
    written_.erase(behind);
  }
  const auto next = written_.lower_bound(begin);
  if (next != written_.begin() && std::prev(next)->second == begin) {
    std::prev(next)->second = end;
  } else {
    written_.emplace(begin, end);
  }
}

uint64_t HashedWriter::end_of_written(uint64_t offset) {
  const std::lock_guard lock(written_mutex_);
  const auto next = written_.upper_bound(offset);
  return next == written_.begin() ? offset : std::max(offset, std::prev(next)->second);
}

void HashedWriter::hash_if_idle(uint64_t offset, std::span<const std::byte> data) {
  const std::unique_lock lock(hash_mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  if (hashed_bytes_ == offset) {
    digest_.update(data);
    hashed_bytes_ += data.size();
  }
  hash_written(kMostForAWrite);
}

void HashedWriter::hash_written(uint64_t most_bytes) {
  uint64_t left = std::min(end_of_written(hashed_bytes_) - hashed_bytes_, most_bytes);
  if (left == 0) return;
  // Opened for a moment: a model has many files, and descriptors are few.
  const std::unique_ptr<Reader> reader = open_reader(path_);
  std::vector<std::byte> buffer(std::min(left, kPieceBytes));
  for (; left > 0; left -= std::min<uint64_t>(left, buffer.size())) {
    const std::span<std::byte> piece(buffer.data(), std::min<uint64_t>(left, buffer.size()));
    reader->read_at(hashed_bytes_, piece);
    digest_.update(piece);
    hashed_bytes_ += piece.size();
  }
}

std::string HashedWriter::finish() {
  const std::lock_guard lock(hash_mutex_);
  hash_written(std::numeric_limits<uint64_t>::max());
  if (const uint64_t size = std::filesystem::file_size(path_); hashed_bytes_ != size) {
    throw Error(ErrorCode::kInternal, fmt::format("{}: hashed {} bytes, expected {}", path_.string(), hashed_bytes_, size));
  }
  return digest_.finish();
}

}  // namespace hf2mlx
