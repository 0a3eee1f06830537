// For tests: a temporary folder and what lies in it.
#pragma once

#include <stdlib.h>
#include <unistd.h>  // mkdtemp on macOS

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hf2mlx {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hf2mlx_test_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = std::filesystem::canonical(pattern);
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view relative_path) const { return path_ / relative_path; }

  std::filesystem::path put(std::string_view relative_path, std::string_view content = "") const {
    const std::filesystem::path path = path_ / relative_path;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  void link(std::string_view relative_path, const std::filesystem::path& to) const {
    const std::filesystem::path path = path_ / relative_path;
    std::filesystem::create_directories(path.parent_path());
    std::filesystem::create_symlink(to, path);
  }

  std::string text(std::string_view relative_path) const {
    std::ifstream in(path_ / relative_path, std::ios::binary);
    if (!in) throw std::runtime_error("no file " + std::string(relative_path));
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  // The names in a folder.
  std::set<std::string> names(std::string_view relative_path = ".") const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_ / relative_path)) names.insert(entry.path().filename().string());
    return names;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace hf2mlx
