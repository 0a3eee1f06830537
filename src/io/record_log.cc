// See record_log.h. A record is its length (4 bytes, little-endian), the first 4 bytes of the payload's SHA-256, and the payload.
#include "io/record_log.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/system_error.h"
#include "io/file_posix.h"
#include "io/sha256_chain.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr size_t kCheckBytes = 4;
constexpr size_t kHeadBytes = sizeof(uint32_t) + kCheckBytes;
constexpr uint32_t kMostPayloadBytes = 1 << 16;

std::array<std::byte, kHeadBytes> head_of(std::span<const std::byte> payload) {
  std::array<std::byte, kHeadBytes> head;
  const auto size = static_cast<uint32_t>(payload.size());
  const Sha256State digest = sha256_of(payload);
  std::memcpy(head.data(), &size, sizeof size);
  std::memcpy(head.data() + sizeof size, digest.data(), kCheckBytes);
  return head;
}

}  // namespace

std::vector<Record> read_record_log(const fs::path& path) {
  std::vector<Record> records;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return records;
  const std::unique_ptr<Reader> reader = open_reader(path);
  std::array<std::byte, kHeadBytes> head;
  for (uint64_t at = 0; at + kHeadBytes <= reader->size();) {
    uint32_t size = 0;
    reader->read_at(at, head);
    std::memcpy(&size, head.data(), sizeof size);
    if (size == 0 || size > kMostPayloadBytes || at + kHeadBytes + size > reader->size()) break;
    Record record(size);
    reader->read_at(at + kHeadBytes, record);
    if (head_of(record) != head) break;
    records.push_back(std::move(record));
    at += kHeadBytes + size;
  }
  return records;
}

RecordLog::RecordLog(const fs::path& path, std::span<const Record> known) {
  std::error_code error;
  for (const Record& record : known) end_bytes_ += kHeadBytes + record.size();
  if (known.empty()) {
    fs::remove(path, error);
    throw_if(error, path.string() + ": cannot be replaced");
  } else {
    fs::resize_file(path, end_bytes_, error);
    throw_if(error, path.string() + ": cannot be cut to what is whole of it");
  }
  writer_ = reopen_writer(path);
}

void RecordLog::append(std::span<const std::byte> payload) {
  // One write: a process that is killed leaves it whole or not at all.
  const auto head = head_of(payload);
  std::vector<std::byte> bytes(head.begin(), head.end());
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  const std::lock_guard lock(mutex_);
  writer_->write_at(end_bytes_, bytes);
  end_bytes_ += bytes.size();
}

}  // namespace hf2mlx
