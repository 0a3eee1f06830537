// The files of a model folder that go along unchanged.
#include "source/side_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/system_error.h"
#include "source/incomplete.h"
#include "source/quantizer_files.h"
#include "source/weight_names.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

// A link to some large folder should not be copied unasked.
constexpr size_t kMaxFiles = 10'000;

template <size_t n>
bool is_one_of(std::string_view name, const std::array<std::string_view, n>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_left_out_at_top(std::string_view name) {
  constexpr std::array<std::string_view, 8> kNames = {"config.json", "hf2mlx.json", "original", "onnx",
                                                      "coreml",      "openvino",    "gguf",     "refs"};
  return is_one_of(name, kNames) || is_quantizer_file(name);
}

bool is_left_out_anywhere(std::string_view name) {
  constexpr std::array<std::string_view, 3> kNames = {".cache", ".DS_Store", "__pycache__"};
  return is_one_of(name, kNames) || name.starts_with(".git") || name.starts_with("._") || is_any_weight_file(name);
}

// On disks that ignore case, the model card that is written would meet a readme.md.
std::string output_name(const std::string& relative_path) {
  constexpr std::string_view kCard = "README.md";
  const bool is_card = std::equal(relative_path.begin(), relative_path.end(), kCard.begin(), kCard.end(),
                                  [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
  return is_card ? std::string(kCard) : relative_path;
}

class Walk {
 public:
  Walk(const fs::path& top, std::vector<std::string>& notes) : top_(top), notes_(notes) {}

  std::vector<SideFile> run() {
    visit_folder(top_, "");
    if (!missing_.empty()) throw incomplete_model(top_, missing_);
    const auto key = [](const SideFile& file) -> const std::string& { return file.relative_path; };
    // The file really called README.md before others that become it.
    std::sort(files_.begin(), files_.end(),
              [&](const SideFile& a, const SideFile& b) { return std::tie(key(a), a.source) < std::tie(key(b), b.source); });
    files_.erase(std::unique(files_.begin(), files_.end(), [&](const SideFile& a, const SideFile& b) { return key(a) == key(b); }),
                 files_.end());
    return std::move(files_);
  }

 private:
  void visit_folder(const fs::path& folder, const std::string& prefix) {
    std::error_code error;
    const fs::path real = fs::canonical(folder, error);
    throw_if(error, folder.string() + ": cannot be opened");
    if (std::find(open_.begin(), open_.end(), real) != open_.end()) {
      throw Error(ErrorCode::kCorrupt, fmt::format("{}: is a symbolic link to a folder that contains it", folder.string()),
                  "remove the link");
    }
    open_.push_back(real);
    fs::directory_iterator entry(folder, error);
    throw_if(error, folder.string() + ": cannot be read");
    for (; entry != fs::directory_iterator(); entry.increment(error)) visit(entry->path(), prefix + entry->path().filename().string());
    throw_if(error, folder.string() + ": cannot be read");
    open_.pop_back();
  }

  void visit(const fs::path& path, const std::string& relative_path) {
    const std::string name = path.filename().string();
    if (is_left_out_anywhere(name) || (name == relative_path && is_left_out_at_top(name))) return;
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    switch (status.type()) {
      case fs::file_type::not_found:
        missing_.push_back(relative_path);
        return;
      case fs::file_type::regular:
        add(path, relative_path);
        return;
      case fs::file_type::directory:
        visit_folder(path, relative_path + "/");
        return;
      default:
        break;
    }
    throw_if(error, path.string() + ": cannot be opened");
    notes_.push_back(relative_path + " is left out: it is neither a file nor a folder");
  }

  void add(const fs::path& path, const std::string& relative_path) {
    std::error_code error;
    const fs::path source = fs::canonical(path, error);
    throw_if(error, path.string() + ": cannot be opened");
    const uint64_t size = fs::file_size(source, error);
    throw_if(error, path.string() + ": cannot be opened");
    files_.push_back({output_name(relative_path), source, size});
    if (files_.size() > kMaxFiles) {
      throw Error(ErrorCode::kUsage, fmt::format("{}: more than {} files, expected a model", top_.string(), kMaxFiles),
                  "name the folder of one model");
    }
  }

  const fs::path& top_;
  std::vector<std::string>& notes_;
  std::vector<fs::path> open_;  // the folders around the one being visited, links resolved
  std::vector<std::string> missing_;
  std::vector<SideFile> files_;
};

}  // namespace

bool is_side_file(std::string_view relative_path) {
  if (is_left_out_at_top(relative_path.substr(0, relative_path.find('/')))) return false;
  for (size_t begin = 0; begin < relative_path.size();) {
    const size_t end = std::min(relative_path.find('/', begin), relative_path.size());
    if (is_left_out_anywhere(relative_path.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return true;
}

std::vector<SideFile> list_side_files(const fs::path& folder, std::vector<std::string>& notes) { return Walk(folder, notes).run(); }

}  // namespace hf2mlx
