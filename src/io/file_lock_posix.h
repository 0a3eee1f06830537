// A lock between processes, by a file.
#pragma once

#include <filesystem>
#include <functional>

#include "io/fd.h"

namespace hf2mlx {

// Held from construction to destruction, and by the kernel's doing never longer than the process lives. The file stays: were it deleted,
// two processes could each hold the lock of a file of that name. It is the flock() that Python's filelock takes.
class FileLock {
 public:
  // Makes the file and its folders. `wait` is called again and again while another holds the lock; it sleeps, or throws to give up.
  // Where the file system knows no locks there is none, and nothing waits.
  FileLock(const std::filesystem::path& path, const std::function<void()>& wait);

 private:
  Fd fd_;
};

}  // namespace hf2mlx
