// Two folders change names.
#include "io/exchange_posix.h"

#include <cerrno>
#include <cstdio>
#ifdef __linux__
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "base/system_error.h"

namespace hf2mlx {
namespace {

// Of <linux/fs.h>, which clashes with other headers on some systems.
#ifdef __linux__
constexpr unsigned kRenameExchange = 1 << 1;
#endif

int exchange(const char* a, const char* b) {
#ifdef __APPLE__
  return ::renamex_np(a, b, RENAME_SWAP);
#else
  // Not renameat2(): C libraries other than glibc may lack it.
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, kRenameExchange));
#endif
}

}  // namespace

bool exchange_folders(const std::filesystem::path& a, const std::filesystem::path& b) {
  if (exchange(a.c_str(), b.c_str()) == 0) return true;
  if (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP || errno == EOPNOTSUPP) return false;
  throw system_error(errno, b.string() + ": cannot be replaced");
}

void rename_folder(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  throw_if(error, to.string() + ": cannot be put in place");
}

void exchange_by_renaming(const std::filesystem::path& a, const std::filesystem::path& b, const std::filesystem::path& aside) {
  rename_folder(b, aside);
  try {
    rename_folder(a, b);
  } catch (...) {
    rename_folder(aside, b);
    throw;
  }
  rename_folder(aside, a);
}

}  // namespace hf2mlx
