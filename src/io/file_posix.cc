// Reading and writing by pread and pwrite.
#include "io/file_posix.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/system_error.h"
#ifdef __APPLE__
#include <copyfile.h>
#endif

namespace hf2mlx {
namespace {

// macOS refuses calls of 2 GB and more.
constexpr size_t kMaxCallBytes = size_t{1} << 30;
#ifdef __linux__
// A larger write gets larger pieces of memory in the page cache, and Linux has those only where memory was free for long. A virtual machine
// may have given that back to its host, and waits for it: with writes of 512 KB 2.5 to 3.4 s for 2.4 GB, with small ones 1.3 s. They end
// at multiples of this size, so that each fills one piece: 0.67 s for 3.4 GB, and 0.92 s otherwise.
constexpr size_t kMaxWriteBytes = size_t{32} << 10;
#else
constexpr size_t kMaxWriteBytes = kMaxCallBytes;
#endif
constexpr size_t kCopyBufferBytes = size_t{1} << 20;

class PosixReader final : public Reader {
 public:
  PosixReader(std::string path, std::shared_ptr<OpenFiles> open_files)
      : path_(std::move(path)), open_files_(std::move(open_files)), identity_(open_files_->get(path_)->identity) {}

  void read_at(uint64_t offset, std::span<std::byte> out) const override {
    const std::shared_ptr<const OpenFile> file = open_files_->get(path_);
    if (file->identity != identity_) {
      throw Error(ErrorCode::kCorrupt, path_ + ": was replaced while it was being read", "wait until its download is complete");
    }
    for (size_t done = 0; done < out.size();) done += read_some(file->fd.get(), offset, out, done);
  }

  uint64_t size() const override { return identity_.size_bytes; }
  const std::string& name() const override { return path_; }

 private:
  size_t read_some(int fd, uint64_t offset, std::span<std::byte> out, size_t done) const {
    const size_t want = std::min(out.size() - done, kMaxCallBytes);
    const ssize_t got = ::pread(fd, out.data() + done, want, static_cast<off_t>(offset + done));
    if (got > 0) return static_cast<size_t>(got);
    if (got < 0 && errno == EINTR) return 0;
    if (got < 0) throw system_error(errno, fmt::format("{}: cannot read {} bytes at offset {}", path_, out.size(), offset));
    throw Error(ErrorCode::kCorrupt,
                fmt::format("{}: ends at byte {}, expected {} bytes at offset {}", path_, offset + done, out.size(), offset),
                "the file may be incompletely downloaded");
  }

  std::string path_;
  std::shared_ptr<OpenFiles> open_files_;
  FileIdentity identity_;
};

// F_FULLFSYNC goes on to the platter; some file systems lack it.
void sync_fd(int fd, const std::string& path) {
#ifdef __APPLE__
  if (::fcntl(fd, F_FULLFSYNC) == 0) return;
#endif
  while (::fsync(fd) != 0) {
    // Some file systems cannot sync a folder and need not.
    if (errno == EINVAL || errno == ENOTSUP) return;
    if (errno != EINTR) throw system_error(errno, path + ": cannot be written to the disk");
  }
}

void reserve(int fd, uint64_t size_bytes, const std::string& path) {
  if (size_bytes == 0) return;
  const off_t size = static_cast<off_t>(size_bytes);
#ifdef __linux__
  // Not posix_fallocate: where the file system cannot reserve, that writes into every block.
  int result = 0;
  do result = ::fallocate(fd, 0, 0, size);
  while (result != 0 && errno == EINTR);
  if (result == 0) return;
  if (errno != EOPNOTSUPP && errno != ENOSYS) throw system_error(errno, fmt::format("{}: cannot reserve {} bytes", path, size_bytes));
#endif
  if (::ftruncate(fd, size) != 0) throw system_error(errno, fmt::format("{}: cannot become {} bytes long", path, size_bytes));
}

Fd create_file(const std::string& path, int flags) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666));
  if (!fd.is_open()) throw system_error(errno, path + ": cannot be created");
  return fd;
}

class PosixWriter final : public Writer {
 public:
  explicit PosixWriter(std::string path, int flags = O_EXCL) : path_(std::move(path)), fd_(create_file(path_, flags)) {}

  void write_at(uint64_t offset, std::span<const std::byte> data) override {
    for (size_t done = 0; done < data.size();) {
      const size_t want = std::min(data.size() - done, kMaxWriteBytes - (offset + done) % kMaxWriteBytes);
      const ssize_t put = ::pwrite(fd_.get(), data.data() + done, want, static_cast<off_t>(offset + done));
      if (put >= 0) {
        done += static_cast<size_t>(put);
      } else if (errno != EINTR) {
        throw system_error(errno, fmt::format("{}: cannot write {} bytes at offset {}", path_, data.size(), offset));
      }
    }
  }

  void sync() override { sync_fd(fd_.get(), path_); }

  int fd() const { return fd_.get(); }

 private:
  std::string path_;
  Fd fd_;
};

// Returns how many bytes the kernel copied, from the beginning: all, or less where it cannot go on.
uint64_t copy_in_kernel(int from, int to, uint64_t size_bytes) {
#ifdef __APPLE__
  return ::fcopyfile(from, to, nullptr, COPYFILE_DATA) == 0 ? size_bytes : 0;
#else
  uint64_t done = 0;
  while (done < size_bytes) {
    const ssize_t copied = ::copy_file_range(from, nullptr, to, nullptr, size_bytes - done, 0);
    if (copied <= 0) break;
    done += static_cast<uint64_t>(copied);
  }
  return done;
#endif
}

void copy_through_buffer(const Reader& from, PosixWriter& to, uint64_t begin) {
  std::vector<std::byte> buffer(kCopyBufferBytes);
  for (uint64_t done = begin; done < from.size();) {
    const std::span<std::byte> piece(buffer.data(), std::min<uint64_t>(buffer.size(), from.size() - done));
    from.read_at(done, piece);
    to.write_at(done, piece);
    done += piece.size();
  }
}

void sync_path(const std::filesystem::path& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) throw system_error(errno, path.string() + ": cannot be opened");
  sync_fd(fd.get(), path.string());
}

}  // namespace

std::unique_ptr<Reader> open_reader(const std::filesystem::path& path, std::shared_ptr<OpenFiles> open_files) {
  if (!open_files) open_files = std::make_shared<OpenFiles>(1);
  return std::make_unique<PosixReader>(path.string(), std::move(open_files));
}

std::unique_ptr<Writer> create_writer(const std::filesystem::path& path, uint64_t size_bytes) {
  auto writer = std::make_unique<PosixWriter>(path.string());
  reserve(writer->fd(), size_bytes, path.string());
  return writer;
}

std::unique_ptr<Writer> reopen_writer(const std::filesystem::path& path) {
  return std::make_unique<PosixWriter>(path.string(), O_NOFOLLOW);
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  create_writer(path)->write_at(0, std::as_bytes(std::span(content.data(), content.size())));
}

void copy_content(const std::filesystem::path& from, const std::filesystem::path& to) {
  const auto open_files = std::make_shared<OpenFiles>(1);
  const std::unique_ptr<Reader> reader = open_reader(from, open_files);
  PosixWriter writer(to.string());
  const uint64_t done = copy_in_kernel(open_files->get(from.string())->fd.get(), writer.fd(), reader->size());
  if (done < reader->size()) copy_through_buffer(*reader, writer, done);
}

uint64_t disk_usage(const std::filesystem::path& path) {
  constexpr uint64_t kUnitBytes = 512;  // of st_blocks, whatever the file system
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_blocks) * kUnitBytes : 0;
}

void sync_folder(const std::filesystem::path& folder) { sync_path(folder); }

void sync_tree(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(folder, error);
  throw_if(error, folder.string() + ": cannot be read");
  for (const auto end = std::filesystem::recursive_directory_iterator(); entry != end;) {
    const std::filesystem::file_type type = entry->symlink_status(error).type();
    if (type == std::filesystem::file_type::directory || type == std::filesystem::file_type::regular) sync_path(entry->path());
    entry.increment(error);
    throw_if(error, folder.string() + ": cannot be read");
  }
  sync_path(folder);
}

}  // namespace hf2mlx
