// See partial_file.h.
#include "hub/partial_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/system_error.h"
#include "io/file_posix.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPieceBytes = 1 << 20;

void hash_file(Digest& digest, const fs::path& path, uint64_t size_bytes) {
  const std::unique_ptr<Reader> reader = open_reader(path);
  std::vector<std::byte> buffer(kPieceBytes);
  for (uint64_t at = 0; at < size_bytes;) {
    const std::span<std::byte> piece(buffer.data(), std::min<uint64_t>(buffer.size(), size_bytes - at));
    reader->read_at(at, piece);
    digest.update(piece);
    at += piece.size();
  }
}

uint64_t size_of(const fs::path& path) {
  std::error_code error;
  const uint64_t size = fs::file_size(path, error);
  return error ? 0 : size;
}

}  // namespace

Digest begin_digest_of(const TreeEntry& entry) {
  if (!entry.sha256.empty()) return Digest(Hash::kSha256);
  Digest digest(Hash::kSha1);
  const std::string head = fmt::format("blob {}", entry.size_bytes);
  digest.update(std::as_bytes(std::span(head.c_str(), head.size() + 1)));  // Git counts the zero byte in
  return digest;
}

bool has_content(const fs::path& path, const TreeEntry& entry) {
  std::error_code error;
  if (!fs::is_regular_file(path, error) || size_of(path) != entry.size_bytes) return false;
  Digest digest = begin_digest_of(entry);
  hash_file(digest, path, entry.size_bytes);
  return digest.finish() == entry.etag();
}

PartialFile::PartialFile(fs::path path, const TreeEntry& entry) : path_(std::move(path)), entry_(entry) {
  writer_ = reopen_writer(path_);
  begin_digest();
  size_bytes_ = size_of(path_);
  if (size_bytes_ > entry_.size_bytes) restart();
  hash_file(*digest_, path_, size_bytes_);
}

void PartialFile::begin_digest() { digest_ = std::make_unique<Digest>(begin_digest_of(entry_)); }

void PartialFile::append(std::span<const std::byte> data) {
  if (size_bytes_ + data.size() > entry_.size_bytes) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: more than its {} bytes arrive", entry_.path, entry_.size_bytes), "try again later");
  }
  writer_->write_at(size_bytes_, data);
  digest_->update(data);
  size_bytes_ += data.size();
}

void PartialFile::restart() {
  std::error_code error;
  fs::resize_file(path_, 0, error);
  throw_if(error, path_.string() + ": cannot be emptied");
  size_bytes_ = 0;
  begin_digest();
}

bool PartialFile::is_right() { return is_whole() && digest_->finish() == entry_.etag(); }

void PartialFile::set_aside(const fs::path& name) {
  std::error_code error;
  fs::rename(path_, name, error);
  throw_if(error, path_.string() + ": cannot be renamed");
  writer_ = reopen_writer(path_);
  size_bytes_ = 0;
  begin_digest();
}

}  // namespace hf2mlx
