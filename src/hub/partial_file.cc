// See partial_file.h.
#include "hub/partial_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "base/system_error.h"
#include "io/file_posix.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPieceBytes = 1 << 20;

// The journal: this, then Arrivals::counts() as the processor has them. Block size and byte order are part of the mark.
constexpr std::array<char, 16> kMark = {'h', 'f', '2', 'm', 'l', 'x', ' ', '4', 'M', 'B', ' ', 'l', 'e', '1', '\n', '\0'};
static_assert(Arrivals::kBlockBytes == 4 << 20 && std::endian::native == std::endian::little);

uint64_t journal_bytes(uint64_t size_bytes) { return kMark.size() + Arrivals(size_bytes).counts().size() * sizeof(uint32_t); }

bool is_file_of(const fs::path& path, uint64_t size_bytes) {
  std::error_code error;
  return fs::is_regular_file(path, error) && fs::file_size(path, error) == size_bytes && !error;
}

std::optional<Arrivals> read_journal(const fs::path& path, uint64_t size_bytes) {
  const std::unique_ptr<Reader> reader = open_reader(path);
  std::array<char, kMark.size()> mark{};
  std::vector<uint32_t> counts(Arrivals(size_bytes).counts().size());
  reader->read_at(size_bytes, std::as_writable_bytes(std::span(mark)));
  reader->read_at(size_bytes + mark.size(), std::as_writable_bytes(std::span(counts)));
  if (mark != kMark) return std::nullopt;
  return Arrivals::from_counts(size_bytes, counts);
}

Arrivals everything(uint64_t size_bytes) {
  Arrivals arrivals(size_bytes);
  arrivals.add(0, size_bytes);
  return arrivals;
}

// Nothing when that is no partial file of this entry.
std::optional<Arrivals> look_at(const fs::path& path, uint64_t size_bytes) {
  std::error_code error;
  if (!fs::is_regular_file(fs::symlink_status(path, error))) return std::nullopt;
  if (is_file_of(path, size_bytes)) return everything(size_bytes);  // it was finished, and not yet given its name
  return is_file_of(path, size_bytes + journal_bytes(size_bytes)) ? read_journal(path, size_bytes) : std::nullopt;
}

}  // namespace

uint64_t arrived_bytes_of(const fs::path& partial, const TreeEntry& entry) {
  const std::optional<Arrivals> arrivals = look_at(partial, entry.size_bytes);
  return arrivals ? arrivals->arrived_bytes() : 0;
}

Digest begin_git_digest(uint64_t size_bytes) {
  Digest digest(Hash::kSha1);
  const std::string head = fmt::format("blob {}", size_bytes);
  digest.update(std::as_bytes(std::span(head.c_str(), head.size() + 1)));  // Git counts the zero byte in
  return digest;
}

Digest begin_digest_of(const TreeEntry& entry) { return entry.sha256.empty() ? begin_git_digest(entry.size_bytes) : Digest(Hash::kSha256); }

bool has_content(const fs::path& path, const TreeEntry& entry) {
  if (!is_file_of(path, entry.size_bytes)) return false;
  return digest_of(begin_digest_of(entry), *open_reader(path)) == entry.etag();
}

PartialFile::PartialFile(fs::path path, const TreeEntry& entry) : path_(std::move(path)), entry_(entry), buffer_(kPieceBytes) { open(); }

void PartialFile::open() {
  std::optional<Arrivals> found = look_at(path_, entry_.size_bytes);
  if (found) {
    writer_ = reopen_writer(path_);
  } else {
    std::error_code error;
    fs::remove(path_, error);
    throw_if(error, path_.string() + ": cannot be removed");
    writer_ = create_writer(path_, entry_.size_bytes + journal_bytes(entry_.size_bytes));
  }
  const std::scoped_lock lock(hash_mutex_, mutex_);
  reader_ = open_reader(path_);
  begin(found ? std::move(*found) : Arrivals(entry_.size_bytes));
}

// Both mutexes are held.
void PartialFile::begin(Arrivals arrivals) {
  arrivals_ = std::move(arrivals);
  write_journal({0, arrivals_->counts().size()});
  writer_->write_at(entry_.size_bytes, std::as_bytes(std::span(kMark)));
  digest_ = begin_digest_of(entry_);
  hashed_bytes_ = 0;
}

void PartialFile::write_journal(ByteRange blocks) {
  const std::span<const uint32_t> counts(arrivals_->counts());
  const uint64_t offset = entry_.size_bytes + kMark.size() + blocks.begin_bytes * sizeof(uint32_t);
  writer_->write_at(offset, std::as_bytes(counts.subspan(blocks.begin_bytes, blocks.size_bytes())));
}

uint64_t PartialFile::arrived_bytes() const {
  const std::lock_guard lock(mutex_);
  return arrivals_->arrived_bytes();
}

ByteRange PartialFile::claim(uint64_t wanted_bytes) {
  const std::lock_guard lock(mutex_);
  return arrivals_->claim(wanted_bytes);
}

void PartialFile::release(ByteRange range) {
  const std::lock_guard lock(mutex_);
  arrivals_->release(range);
}

bool PartialFile::has_claims() const {
  const std::lock_guard lock(mutex_);
  return arrivals_->has_claims();
}

void PartialFile::write(ByteRange& claimed, std::span<const std::byte> data) {
  if (data.size() > claimed.size_bytes()) {
    throw Error(ErrorCode::kCorrupt,
                fmt::format("{}: more bytes arrive than were asked for, up to byte {}", entry_.path, claimed.end_bytes),
                "check the proxy, or try again later");
  }
  const uint64_t offset = claimed.begin_bytes;
  writer_->write_at(offset, data);
  claimed.begin_bytes += data.size();
  {
    const std::lock_guard lock(mutex_);
    write_journal(arrivals_->add(offset, data.size()));  // after the content: what ends in between is fetched again, and not trusted
  }
  hash_if_idle(offset, data);
}

// Whoever comes by takes the digest on. It is behind where ranges arrive out of order; several pieces for each that came let it catch up.
void PartialFile::hash_if_idle(uint64_t offset, std::span<const std::byte> data) {
  const std::unique_lock lock(hash_mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  if (hashed_bytes_ == offset && end_to_hash() >= offset + data.size()) {
    digest_->update(data);
    hashed_bytes_ += data.size();
  }
  constexpr int kPieces = 2;
  for (int i = 0; i < kPieces && hash_some(); ++i) continue;
}

uint64_t PartialFile::end_to_hash() const {
  const std::lock_guard lock(mutex_);
  return arrivals_->end_of_arrived(hashed_bytes_);
}

// Of what has arrived without a gap; false when that is hashed.
bool PartialFile::hash_some() {
  const std::span<std::byte> piece(buffer_.data(), std::min<uint64_t>(buffer_.size(), end_to_hash() - hashed_bytes_));
  if (piece.empty()) return false;
  reader_->read_at(hashed_bytes_, piece);
  digest_->update(piece);
  hashed_bytes_ += piece.size();
  return true;
}

ByteRange PartialFile::restart_for(ByteRange claimed) {
  const std::scoped_lock lock(hash_mutex_, mutex_);
  arrivals_->release(claimed);
  if (arrivals_->has_claims()) return {};
  begin(Arrivals(entry_.size_bytes));
  return arrivals_->claim(entry_.size_bytes);
}

bool PartialFile::is_right() {
  const std::lock_guard lock(hash_mutex_);
  while (hash_some()) continue;
  return is_whole() && digest_->finish() == entry_.etag();
}

void PartialFile::cut_journal() {
  std::error_code error;
  fs::resize_file(path_, entry_.size_bytes, error);
  throw_if(error, path_.string() + ": cannot be cut to its size");
}

void PartialFile::finish() {
  // Whoever sees the name may rely on the content, also after a power cut.
  writer_->sync();
  cut_journal();
}

void PartialFile::set_aside(const fs::path& name) {
  cut_journal();
  std::error_code error;
  fs::rename(path_, name, error);
  throw_if(error, path_.string() + ": cannot be renamed");
  open();
}

}  // namespace hf2mlx
