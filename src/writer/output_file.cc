// See output_file.h.
#include "writer/output_file.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/system_error.h"
#include "io/file_posix.h"

namespace hf2mlx {
namespace {

constexpr size_t kBufferBytes = 256 << 10;

}  // namespace

OutputFile::OutputFile(std::unique_ptr<Writer> writer) : writer_(std::move(writer)) {}

void OutputFile::append(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBufferBytes) flush();
}

void OutputFile::flush() {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(buffer_));
  writer_->write_at(written_bytes_, bytes);
  hash_.update(bytes);
  written_bytes_ += buffer_.size();
  buffer_.clear();
}

FileDigest OutputFile::finish() {
  flush();
  return {written_bytes_, hash_.finish()};
}

void OutputFolder::write(const std::string& relative_path, const std::function<void(OutputFile&)>& fill) {
  const std::filesystem::path path = folder_ / relative_path;
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  throw_if(error, path.parent_path().string() + ": folder cannot be made");
  std::filesystem::remove(path, error);  // of an interrupted run
  throw_if(error, path.string() + ": cannot be replaced");
  OutputFile file(create_writer(path));
  fill(file);
  files_[relative_path] = file.finish();
}

void OutputFolder::write_text(const std::string& relative_path, std::string_view text) {
  write(relative_path, [&](OutputFile& file) { file.append(text); });
}

void OutputFolder::copy(const std::string& relative_path, const std::filesystem::path& source) {
  const std::unique_ptr<Reader> reader = open_reader(source);
  write(relative_path, [&](OutputFile& file) {
    std::string piece;
    for (uint64_t at = 0; at < reader->size(); at += piece.size()) {
      piece.resize(std::min<uint64_t>(kBufferBytes, reader->size() - at));
      reader->read_at(at, std::as_writable_bytes(std::span(piece)));
      file.append(piece);
    }
  });
}

}  // namespace hf2mlx
