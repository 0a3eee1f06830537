// See folder.h.
#include "verify/folder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/system_error.h"
#include "io/file_posix.h"
#include "source/side_files.h"
#include "source/weight_names.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  throw_if(error, folder.string() + ": cannot be read");
  for (; entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (!entry->is_directory(ignored)) names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The message of an error without the folder in front, which all findings have in common.
std::string without_folder(const std::string& message, const fs::path& folder) {
  const std::string prefix = folder.string() + "/";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

// Null for a file that is not there or cannot be read, which is found.
Json read_object(const ModelFolder& folder, const std::string& file, const std::vector<std::string>& refused_by, Findings& findings) {
  if (!folder.has(file)) return nullptr;
  std::string reason;
  try {
    Json value = read_json_file(folder.path / file);
    if (value.is_object()) return value;
    reason = fmt::format("{} found, an object expected", value.type_name());
  } catch (const Error& error) {
    reason = without_folder(error.what(), folder.path);
  }
  Finding finding{
      .check = "files.json", .place = file, .reason = reason, .remedy = "copy it again from the original", .refused_by = refused_by};
  refused_by.empty() ? findings.warning(finding) : findings.error(finding);
  return nullptr;
}

void read_weights(ModelFolder& folder, Findings& findings) {
  constexpr size_t kMaxOpenFiles = 64;
  const auto open_files = std::make_shared<OpenFiles>(kMaxOpenFiles);
  for (const std::string& name : folder.names) {
    if (!is_mlx_weight_file(name)) continue;
    try {
      folder.weights.push_back({name, parse_safetensors_header(*open_reader(folder.path / name, open_files))});
    } catch (const Error& error) {
      findings.error({.check = "weights.header",
                      .place = name,
                      .reason = without_folder(error.what(), folder.path),
                      .remedy = "convert or download it again",
                      .refused_by = everyone()});
    }
  }
}

void list_files(ModelFolder& folder, Findings& findings) {
  std::vector<std::string> notes;
  try {
    folder.side_files = list_side_files(folder.path, notes);
  } catch (const Error& error) {
    findings.warning({.check = "files.link",
                      .place = folder.path.string(),
                      .reason = without_folder(error.what(), folder.path),
                      .remedy = "links that lead nowhere belong to an incomplete download: download again, or remove them"});
  }
}

}  // namespace

bool ModelFolder::has(const std::string& file) const { return std::binary_search(names.begin(), names.end(), file); }

ModelFolder open_model_folder(const fs::path& path, std::string name, Findings& findings) {
  ModelFolder folder{path, std::move(name), files_in(path), {}, {}, {}, {}, {}};
  folder.config = read_object(folder, "config.json", everyone(), findings);
  folder.generation_config = read_object(folder, "generation_config.json", {}, findings);
  folder.tokenizer_config = read_object(folder, "tokenizer_config.json", everyone(), findings);
  read_weights(folder, findings);
  list_files(folder, findings);
  return folder;
}

}  // namespace hf2mlx
