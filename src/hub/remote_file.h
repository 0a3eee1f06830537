// A file of a repository that is read where it is: its beginning, small pieces, and all of it as a stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "hf2mlx/error.h"
#include "hub/hub_file.h"
#include "hub/hub_link.h"
#include "io/file.h"

namespace hf2mlx {

class RemoteFile;

// Where the bytes of remote files come from once they are streamed. Thread-safe.
class RemoteBytes {
 public:
  virtual ~RemoteBytes() = default;
  virtual void read(const RemoteFile& file, uint64_t offset, std::span<std::byte> out) = 0;
};

// A server that sends only whole files: Error{kUnsupported}.
class OnlyWholeFiles : public Error {
 public:
  using Error::Error;
};

// Brings a range into memory, resumed where it breaks off. Throws OnlyWholeFiles.
void fetch_range(Session& session, HubFile& source, const TransferEvents& events, ByteRange range, std::byte* to);

// Until it is streamed, each range is asked for when it is read, and kept: what was read from the beginning without a gap, and single
// pieces. Meant for headers and what a plan needs to see of the weights, which is little.
class RemoteFile final : public Reader {
 public:
  // `link` must outlive this.
  RemoteFile(HubLink& link, const Wanted& wanted, const std::string& commit, TreeEntry entry);

  void read_at(uint64_t offset, std::span<std::byte> out) const override;
  uint64_t size() const override { return entry_.size_bytes; }
  const std::string& name() const override { return name_; }

  // So that reading them takes no request.
  void fetch_first(uint64_t bytes);

  struct Piece {
    uint64_t offset_bytes;
    std::vector<std::byte> bytes;
  };
  // The file from its beginning, as far as a reader looked; and the rest that was read.
  std::span<const std::byte> beginning() const { return std::span(beginning_).first(looked_bytes_); }
  const std::vector<Piece>& pieces() const { return pieces_; }
  // From now on all reads go there. Forgets the above.
  void read_through(RemoteBytes& bytes);

  const TreeEntry& entry() const { return entry_; }
  HubFile& source() const { return source_; }

 private:
  std::vector<std::byte> fetch(ByteRange range) const;

  HubLink& link_;
  const TreeEntry entry_;
  const std::string name_;
  mutable HubFile source_;
  RemoteBytes* bytes_ = nullptr;

  mutable std::mutex mutex_;  // guards all below
  mutable std::vector<std::byte> beginning_;
  mutable uint64_t looked_bytes_ = 0;
  mutable std::vector<Piece> pieces_;
};

}  // namespace hf2mlx
