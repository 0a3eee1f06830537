// Whole small files.
#include "base/text_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>

#include "base/system_error.h"

namespace hf2mlx {

std::string read_text_file(const std::filesystem::path& path, uint64_t max_bytes) {
  std::error_code error;
  // Also keeps us from opening a pipe, which would wait for a writer.
  if (!std::filesystem::is_regular_file(path, error)) {
    throw_if(error, path.string() + ": cannot be read");
    throw Error(ErrorCode::kNotFound, path.string() + ": not a file");
  }
  const uint64_t size = std::filesystem::file_size(path, error);
  throw_if(error, path.string() + ": cannot be read");
  if (size > max_bytes) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: {} bytes, expected at most {}", path.string(), size, max_bytes));
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text(size, '\0');
  in.read(text.data(), static_cast<std::streamsize>(size));
  if (!in) throw system_error(errno != 0 ? errno : EIO, path.string() + ": cannot be read");
  return text;
}

}  // namespace hf2mlx
