// See remote_file.h.
#include "hub/remote_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "hf2mlx/error.h"
#include "hub/part_fetch.h"
#include "io/read_trace.h"

namespace hf2mlx {
namespace {

// A claim in memory.
class MemoryTarget final : public PartTarget {
 public:
  MemoryTarget(ByteRange range, std::byte* to, const HubFile& source) : range_(range), to_(to), source_(source) {}

  void write(ByteRange& claimed, std::span<const std::byte> data) override {
    if (data.size() > claimed.size_bytes()) {
      throw Error(ErrorCode::kCorrupt,
                  fmt::format("{}: more bytes arrive than were asked for, up to byte {}", source_.entry().path, claimed.end_bytes),
                  "check the proxy, or try again later");
    }
    std::memcpy(to_ + (claimed.begin_bytes - range_.begin_bytes), data.data(), data.size());
    claimed.begin_bytes += data.size();
  }
  ByteRange restart_for(ByteRange) override {
    throw OnlyWholeFiles(
        ErrorCode::kUnsupported,
        fmt::format("{}: {}: the server sends only the whole file, expected a range of it", source_.wanted().repo_id, source_.entry().path),
        "download the model first: hf2mlx download " + source_.wanted().repo_id);
  }
  void release(ByteRange) override {}
  uint64_t arrived_bytes() const override { return 0; }

 private:
  const ByteRange range_;
  std::byte* const to_;
  const HubFile& source_;
};

}  // namespace

void fetch_range(Session& session, HubFile& source, const TransferEvents& events, ByteRange range, std::byte* to) {
  MemoryTarget target(range, to, source);
  PartFetch(session, source, target, events, range).run();
}

RemoteFile::RemoteFile(HubLink& link, const Wanted& wanted, const std::string& commit, TreeEntry entry)
    : link_(link), entry_(std::move(entry)), name_(wanted.repo_id + "/" + entry_.path), source_(link.options(), wanted, commit, entry_) {}

std::vector<std::byte> RemoteFile::fetch(ByteRange range) const {
  std::vector<std::byte> bytes(range.size_bytes());
  if (bytes.empty()) return bytes;
  HubLink::Lease lease(link_);
  fetch_range(lease.session(), source_, link_.events(), range, bytes.data());
  return bytes;
}

void RemoteFile::fetch_first(uint64_t bytes) { beginning_ = fetch({0, std::min(bytes, entry_.size_bytes)}); }

void RemoteFile::read_at(uint64_t offset, std::span<std::byte> out) const {
  if (ReadTrace* trace = ReadTrace::current()) {
    trace->notes.push_back({this, offset, out.size()});
    std::fill(out.begin(), out.end(), std::byte{0});
    return;
  }
  if (bytes_ != nullptr) return bytes_->read(*this, offset, out);
  const uint64_t end = offset + out.size();
  if (end > entry_.size_bytes) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: {} bytes long, expected at least {}", name_, entry_.size_bytes, end));
  }
  const std::lock_guard lock(mutex_);
  if (offset > looked_bytes_) {
    pieces_.push_back({offset, fetch({offset, end})});
    std::copy(pieces_.back().bytes.begin(), pieces_.back().bytes.end(), out.begin());
    return;
  }
  if (end > beginning_.size()) {
    const std::vector<std::byte> more = fetch({beginning_.size(), end});
    beginning_.insert(beginning_.end(), more.begin(), more.end());
  }
  looked_bytes_ = std::max(looked_bytes_, end);
  std::copy_n(beginning_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
}

void RemoteFile::read_through(RemoteBytes& bytes) {
  bytes_ = &bytes;
  beginning_ = {};
  pieces_ = {};
}

}  // namespace hf2mlx
