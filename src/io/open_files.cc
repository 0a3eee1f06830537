// A limit on how many files are open.
#include "io/open_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/system_error.h"

namespace hf2mlx {
namespace {

// Weights are read from front to back, in large pieces.
void expect_sequential_reads(int fd) {
#ifdef __APPLE__
  ::fcntl(fd, F_RDAHEAD, 1);
#else
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
}

std::shared_ptr<const OpenFile> open_file(const std::string& path) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer; it changes nothing for a regular file.
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.is_open()) throw system_error(errno, path + ": cannot be opened");
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw system_error(errno, path + ": cannot be opened");
  if (!S_ISREG(info.st_mode)) throw Error(ErrorCode::kNotFound, path + ": not a file");
  expect_sequential_reads(fd.get());
  return std::make_shared<const OpenFile>(OpenFile{std::move(fd), {info.st_dev, info.st_ino, static_cast<uint64_t>(info.st_size)}});
}

}  // namespace

std::shared_ptr<const OpenFile> OpenFiles::get(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (const auto known = where_.find(path); known != where_.end()) {
    entries_.splice(entries_.begin(), entries_, known->second);
    return entries_.front().file;
  }
  entries_.push_front({path, open_file(path)});
  where_[path] = entries_.begin();
  if (entries_.size() > limit_) {
    where_.erase(entries_.back().path);
    entries_.pop_back();
  }
  return entries_.front().file;
}

}  // namespace hf2mlx
