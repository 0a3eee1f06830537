// A file of small records that only grows: what a run has finished, for the run after it.
//
// Each record says its own length and carries a checksum, so that one that was cut short, or lost by a power cut, ends the log there
// instead of being believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "io/file.h"

namespace hf2mlx {

using Record = std::vector<std::byte>;

// The records of a log up to the first that is not whole. Empty for a file that is not there or is none.
std::vector<Record> read_record_log(const std::filesystem::path& path);

// Thread-safe.
class RecordLog {
 public:
  // Goes on behind `known`, which read_record_log() gave of this file; with none begins anew.
  RecordLog(const std::filesystem::path& path, std::span<const Record> known);
  void append(std::span<const std::byte> payload);

 private:
  std::mutex mutex_;  // guards all below
  std::unique_ptr<Writer> writer_;
  uint64_t end_bytes_ = 0;
};

}  // namespace hf2mlx
