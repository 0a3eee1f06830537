// See file_lock_posix.h.
#include "io/file_lock_posix.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/system_error.h"

namespace hf2mlx {
namespace {

enum class Attempt { kDone, kAgain };

Attempt try_lock(int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return Attempt::kDone;
  return errno == EWOULDBLOCK || errno == EINTR ? Attempt::kAgain : Attempt::kDone;
}

// Somebody may have deleted the file before it was locked: then the lock guards nothing.
bool still_has_a_name(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && status.st_nlink > 0;
}

Fd open_lock(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  throw_if(error, path.parent_path().string() + ": folder cannot be made");
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  constexpr mode_t kForTheGroup = 0664;  // whatever the umask: others may use the same cache
  Fd created(::open(path.c_str(), kFlags | O_EXCL, kForTheGroup));
  if (created.is_open()) {
    ::fchmod(created.get(), kForTheGroup);
    return created;
  }
  Fd fd(::open(path.c_str(), kFlags, kForTheGroup));
  if (!fd.is_open()) throw system_error(errno, path.string() + ": cannot be opened");
  return fd;
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& path, const std::function<void()>& wait) {
  for (;;) {
    fd_ = open_lock(path);
    while (try_lock(fd_.get()) == Attempt::kAgain) wait();
    if (still_has_a_name(fd_.get())) return;
  }
}

}  // namespace hf2mlx
