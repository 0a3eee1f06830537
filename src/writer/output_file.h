// A file that is written from beginning to end and hashed on the way, and the folder such files go to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/digest.h"
#include "io/file.h"

namespace hf2mlx {

struct FileDigest {
  uint64_t size_bytes = 0;
  std::string sha256;  // empty: was not computed
};

// Collects small pieces into large writes. Not thread-safe.
class OutputFile {
 public:
  explicit OutputFile(std::unique_ptr<Writer> writer);
  void append(std::string_view text);
  FileDigest finish();  // writes what is left; nothing may be appended afterwards

 private:
  void flush();

  std::unique_ptr<Writer> writer_;
  std::string buffer_;
  Digest hash_{Hash::kSha256};
  uint64_t written_bytes_ = 0;
};

// The folder under construction. Remembers what was written, for the report and the manifest. Paths are relative, with '/'; folders on the
// way are made. Not thread-safe.
class OutputFolder {
 public:
  explicit OutputFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void write(const std::string& relative_path, const std::function<void(OutputFile&)>& fill);
  void write_text(const std::string& relative_path, std::string_view text);
  // Copies bytes, so that links become files and the source's permissions stay behind.
  void copy(const std::string& relative_path, const std::filesystem::path& source);

  const std::map<std::string, FileDigest>& files() const { return files_; }

 private:
  std::filesystem::path folder_;
  std::map<std::string, FileDigest> files_;
};

}  // namespace hf2mlx
