// See selection.h.
#include "hub/selection.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "hf2mlx/error.h"
#include "source/incomplete.h"
#include "source/quantizer_files.h"
#include "source/side_files.h"
#include "source/weight_names.h"

namespace hf2mlx {
namespace {

constexpr std::array<std::string_view, 2> kConfigs = {"config.json", kWeightIndexFile};

bool is_needed(const std::string& path, const std::vector<std::string>& index_files) {
  const auto has = [&](const auto& list) { return std::find(list.begin(), list.end(), path) != list.end(); };
  if (has(kConfigs) || is_quantizer_file(path) || has(index_files)) return true;
  return path.find('/') == path.npos && is_mlx_weight_file(path) ? true : is_side_file(path);
}

bool matches(const std::string& path, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    const std::string whole = pattern.ends_with('/') ? pattern + "*" : pattern;
    return ::fnmatch(whole.c_str(), path.c_str(), FNM_NOESCAPE) == 0;
  });
}

}  // namespace

Tree select_files(const Tree& tree, const Patterns& patterns, const std::vector<std::string>& index_files) {
  Tree selected;
  std::copy_if(tree.begin(), tree.end(), std::back_inserter(selected), [&](const TreeEntry& entry) {
    const bool wanted = patterns.include.empty() ? is_needed(entry.path, index_files) : matches(entry.path, patterns.include);
    return wanted && !matches(entry.path, patterns.exclude);
  });
  return selected;
}

void check_convertible(const Tree& selected, const Tree& tree, const std::string& repo_id) {
  const auto is_config = [](const TreeEntry& entry) { return entry.path == kConfigs[0]; };
  const auto is_weights = [](const TreeEntry& entry) { return entry.path.ends_with(".safetensors"); };
  const bool has_config = std::any_of(selected.begin(), selected.end(), is_config);
  if (has_config && std::any_of(selected.begin(), selected.end(), is_weights)) return;
  std::vector<std::string> names;
  for (const TreeEntry& entry : tree) names.push_back(entry.path);
  throw Error(
      ErrorCode::kUnsupported,
      fmt::format("{}: no {}, found {}", repo_id, has_config ? "model*.safetensors" : "config.json", shorten(names)),
      "only models in Hugging Face format with weights in safetensors can be converted; hf2mlx download --include '*' gets all files");
}

}  // namespace hf2mlx
