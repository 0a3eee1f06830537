// What a computation would read, without reading it.
#pragma once

#include <cstdint>
#include <vector>

#include "io/file.h"

namespace hf2mlx {

struct ReadNote {
  const Reader* file;
  uint64_t offset_bytes;
  uint64_t size_bytes;
};

// Bytes of one of several files.
struct FileSpan {
  uint32_t file;
  uint64_t begin_bytes;
  uint64_t end_bytes;
};

// While one exists, readers of far files give zeros to its thread and only note what was asked for. One at a time for a thread.
class ReadTrace {
 public:
  ReadTrace();
  ~ReadTrace();
  ReadTrace(const ReadTrace&) = delete;
  ReadTrace& operator=(const ReadTrace&) = delete;

  // Of this thread, or null.
  static ReadTrace* current();

  std::vector<ReadNote> notes;
};

}  // namespace hf2mlx
