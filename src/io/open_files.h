// A limit on how many files are open: some checkpoints have more shards than a process may open files (256 on macOS by default).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "io/fd.h"

namespace hf2mlx {

// What tells one file from another that took its name.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  uint64_t size_bytes = 0;

  bool operator==(const FileIdentity&) const = default;
};

struct OpenFile {
  Fd fd;
  FileIdentity identity;
};

// The files used last, open for reading. Thread-safe. A file that is dropped from here closes when its last user lets go of it.
class OpenFiles {
 public:
  explicit OpenFiles(size_t limit) : limit_(limit) {}

  // Opens the regular file, or returns it when it is open still.
  std::shared_ptr<const OpenFile> get(const std::string& path);

 private:
  struct Entry {
    std::string path;
    std::shared_ptr<const OpenFile> file;
  };

  const size_t limit_;
  std::mutex mutex_;          // guards all below
  std::list<Entry> entries_;  // the one used last in front
  std::unordered_map<std::string, std::list<Entry>::iterator> where_;
};

}  // namespace hf2mlx
