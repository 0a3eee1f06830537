// The weight files and their index. mlx_lm loads every model*.safetensors and never looks at the index; mlx-swift-lm (indexedWeightURLs in
// Libraries/MLXLMCommon/Load.swift), transformers and others go by the index.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "hf2mlx/error.h"
#include "source/incomplete.h"
#include "source/weight_index.h"
#include "source/weight_names.h"
#include "verify/checks.h"

namespace hf2mlx {
namespace {

using FilesOf = std::map<std::string_view, std::string_view>;  // tensor → file

constexpr const char* kRebuild = "convert again; or delete the index, which mlx-lm does not need where all weights are there";

std::string count_of(size_t n, const char* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

// Where each tensor is. One that is in two files is found.
FilesOf files_of_tensors(const ModelFolder& folder, Findings& findings) {
  FilesOf files;
  std::map<std::pair<std::string_view, std::string_view>, std::vector<std::string>> doubles;
  for (const WeightFile& file : folder.weights) {
    for (const TensorEntry& tensor : file.tensors) {
      const auto [known, is_new] = files.try_emplace(tensor.name, file.name);
      if (!is_new) doubles[{known->second, file.name}].push_back(tensor.name);
    }
  }
  for (const auto& [pair, tensors] : doubles) {
    findings.error({.check = "weights.twice",
                    .place = std::string(pair.second),
                    .reason = fmt::format("has {} that {} has too: {}; which of them mlx-lm loads is left to chance",
                                          count_of(tensors.size(), "tensor"), pair.first, shorten(tensors)),
                    .remedy = "remove the weight file that does not belong to this model"});
  }
  return files;
}

std::optional<WeightIndex> read_index(const ModelFolder& folder, Findings& findings) {
  if (!folder.has(kWeightIndexFile)) return std::nullopt;
  try {
    return read_weight_index(folder.path / kWeightIndexFile);
  } catch (const Error& error) {
    findings.error({.check = "index.unreadable",
                    .place = kWeightIndexFile,
                    .reason = error.what(),
                    .remedy = kRebuild,
                    .refused_by = {kSwift, kLmStudio}});
    return std::nullopt;
  }
}

bool is_there(const ModelFolder& folder, const std::string& file) {
  std::error_code error;
  return std::filesystem::exists(folder.path / file, error);
}

// Returns whether some file of the index is there: otherwise it is another model's, and no more can be said of it.
bool check_indexed_files(const ModelFolder& folder, const WeightIndex& index, Findings& findings) {
  std::vector<std::string> missing;
  for (const std::string& file : index.files) {
    if (!is_there(folder, file)) missing.push_back(file);
  }
  if (missing.empty()) return true;
  if (missing.size() < index.files.size()) {
    findings.error({.check = "index.missing-file",
                    .place = kWeightIndexFile,
                    .reason = fmt::format("names {} that {} not there: {}", count_of(missing.size(), "file"),
                                          missing.size() == 1 ? "is" : "are", shorten(missing)),
                    .remedy = "the folder is incomplete: download or convert it again",
                    .refused_by = everyone()});
    return true;
  }
  findings.warning({.check = "index.stale",
                    .place = kWeightIndexFile,
                    .reason = fmt::format("none of the {} that it names is there: it is left over from another form of the model",
                                          count_of(missing.size(), "file")),
                    .remedy = kRebuild});
  return false;
}

// model*.safetensors beside those of the index.
void check_strays(const ModelFolder& folder, const WeightIndex& index, Findings& findings) {
  for (const WeightFile& file : folder.weights) {
    if (std::binary_search(index.files.begin(), index.files.end(), file.name)) continue;
    findings.error({.check = "weights.stray",
                    .place = file.name,
                    .reason = "is not in the index, but mlx-lm loads every model*.safetensors into the model",
                    .remedy = "remove it, if it is left over from another conversion; convert again otherwise"});
  }
}

void check_entries(const WeightIndex& index, const FilesOf& files, Findings& findings) {
  std::vector<std::string> nowhere, elsewhere, unlisted;
  for (const WeightIndex::Entry& entry : index.entries) {
    const auto found = files.find(entry.tensor);
    if (found == files.end()) nowhere.push_back(entry.tensor);
    if (found != files.end() && found->second != index.files[entry.file]) elsewhere.push_back(entry.tensor);
  }
  for (const auto& [tensor, file] : files) {
    const auto at = std::lower_bound(index.entries.begin(), index.entries.end(), tensor,
                                     [](const WeightIndex::Entry& entry, std::string_view name) { return entry.tensor < name; });
    if (at == index.entries.end() || at->tensor != tensor) unlisted.emplace_back(tensor);
  }
  const auto report = [&](const char* check, const char* what, const std::vector<std::string>& tensors) {
    if (tensors.empty()) return;
    findings.warning({.check = check,
                      .place = kWeightIndexFile,
                      .reason = fmt::format("{} {}: {}", count_of(tensors.size(), "tensor"), what, shorten(tensors)),
                      .remedy = kRebuild});
  };
  report("index.unknown-tensor", "of the index in no file", nowhere);
  report("index.wrong-file", "in another file than the index says", elsewhere);
  report("index.unlisted-tensor", "not in the index", unlisted);
}

void check_there_are_weights(const ModelFolder& folder, Findings& findings) {
  if (std::any_of(folder.names.begin(), folder.names.end(), is_mlx_weight_file)) return;
  std::vector<std::string> others;
  std::copy_if(folder.names.begin(), folder.names.end(), std::back_inserter(others), is_any_weight_file);
  findings.error({.check = "weights.none",
                  .place = folder.path.string(),
                  .reason = others.empty()
                                ? "no model*.safetensors found"
                                : fmt::format("no model*.safetensors found, but {}, which mlx-lm does not read", shorten(others)),
                  .remedy = "convert the model, or download its weights",
                  .refused_by = everyone()});
}

}  // namespace

void check_weight_files(const ModelFolder& folder, Findings& findings) {
  check_there_are_weights(folder, findings);
  const FilesOf files = files_of_tensors(folder, findings);
  const std::optional<WeightIndex> index = read_index(folder, findings);
  if (!index || !check_indexed_files(folder, *index, findings)) return;
  check_strays(folder, *index, findings);
  check_entries(*index, files, findings);
}

}  // namespace hf2mlx
