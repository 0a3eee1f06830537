// A model's folder on disk.
#include <algorithm>

#include "base/system_error.h"
#include "base/text_file.h"
#include "io/file_posix.h"
#include "source/model_files.h"
#include "source/side_files.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

// Enough for all threads to be in different files; macOS allows 256 by default.
constexpr size_t kMaxOpenFiles = 64;

}  // namespace

std::vector<std::string> FolderFiles::top_level_names() const {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(folder_, error);
  throw_if(error, folder_.string() + ": cannot be read");
  for (; entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (!entry->is_directory(ignored)) names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool FolderFiles::has(const std::string& name) const {
  std::error_code error;
  const fs::file_status status = fs::status(folder_ / name, error);
  if (status.type() == fs::file_type::not_found) return false;
  throw_if(error, (folder_ / name).string() + ": cannot be opened");
  return true;
}

std::string FolderFiles::read_text(const std::string& name, uint64_t max_bytes) const { return read_text_file(folder_ / name, max_bytes); }

std::vector<std::shared_ptr<const Reader>> FolderFiles::open(const std::vector<std::string>& names) const {
  const auto open_files = std::make_shared<OpenFiles>(kMaxOpenFiles);
  std::vector<std::shared_ptr<const Reader>> readers;
  for (const std::string& name : names) readers.push_back(open_reader(folder_ / name, open_files));
  return readers;
}

std::vector<SideFile> FolderFiles::side_files(std::vector<std::string>& notes) const { return list_side_files(folder_, notes); }

}  // namespace hf2mlx
