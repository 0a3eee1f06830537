// Which files of a folder hold the model's weights.
#include "source/weight_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string_view>

#include "hf2mlx/error.h"
#include "source/incomplete.h"
#include "source/weight_names.h"

namespace hf2mlx {
namespace {

void check_all_there(const ModelFiles& files, const std::vector<std::string>& names) {
  std::vector<std::string> missing;
  std::copy_if(names.begin(), names.end(), std::back_inserter(missing), [&](const std::string& name) { return !files.has(name); });
  if (!missing.empty()) throw incomplete_model(files.place(), missing);
}

// "model-00002-of-00004.safetensors" is part 2 of 4.
struct Part {
  std::string prefix;
  unsigned number = 0;
  unsigned total = 0;
};

constexpr size_t kDigits = 5;

std::optional<Part> part_of(std::string_view name) {
  constexpr std::string_view kEnding = ".safetensors";
  constexpr std::string_view kOf = "-of-";
  constexpr size_t kTail = 1 + kDigits + kOf.size() + kDigits + kEnding.size();
  if (!name.ends_with(kEnding) || name.size() <= kTail) return std::nullopt;
  const std::string_view tail = name.substr(name.size() - kTail);
  if (tail[0] != '-' || tail.substr(1 + kDigits, kOf.size()) != kOf) return std::nullopt;
  Part part{std::string(name.substr(0, name.size() - kTail))};
  const char* first = tail.data() + 1;
  const char* second = first + kDigits + kOf.size();
  if (std::from_chars(first, first + kDigits, part.number).ptr != first + kDigits) return std::nullopt;
  if (std::from_chars(second, second + kDigits, part.total).ptr != second + kDigits) return std::nullopt;
  return part;
}

// Without an index, the names of numbered files tell when some are missing.
void check_numbers(const ModelFiles& files, const std::vector<std::string>& names) {
  std::map<std::pair<std::string, unsigned>, std::set<unsigned>> series;
  for (const std::string& name : names) {
    if (const auto part = part_of(name)) series[{part->prefix, part->total}].insert(part->number);
  }
  std::vector<std::string> missing;
  for (const auto& [key, numbers] : series) {
    const auto& [prefix, total] = key;
    // Counting begins at 0 in some models.
    const unsigned first = numbers.contains(0) ? 0 : 1;
    for (unsigned i = first; i < first + total; ++i) {
      if (!numbers.contains(i)) missing.push_back(fmt::format("{}-{:05}-of-{:05}.safetensors", prefix, i, total));
    }
  }
  if (!missing.empty()) throw incomplete_model(files.place(), missing);
}

const char* hint_for_format(std::string_view name) {
  if (name.ends_with(".gguf")) return "GGUF files cannot be converted; use the original model, which is in safetensors format";
  if (name.starts_with("consolidated")) return "this is the publisher's own format; use the model in Hugging Face format";
  if (name == "adapter_model.safetensors") return "this is an adapter; merge it into its base model first";
  if (name.ends_with(".safetensors"))
    return "if these are the model's weights, rename the file to model.safetensors, or name it in an index";
  return "convert the weights to safetensors first, or use a revision of the model that has them";
}

[[noreturn]] void refuse_without_weights(const ModelFiles& files, const std::vector<std::string>& names) {
  std::vector<std::string> others;
  std::copy_if(names.begin(), names.end(), std::back_inserter(others), [](const std::string& name) { return is_any_weight_file(name); });
  if (others.empty()) {
    throw Error(ErrorCode::kNotFound, files.place().string() + ": no weights, expected model*.safetensors",
                "download the weights of the model");
  }
  throw Error(ErrorCode::kUnsupported, fmt::format("{}: found {}, expected model*.safetensors", files.place().string(), shorten(others)),
              hint_for_format(others.front()));
}

Selection by_name(const ModelFiles& files, const std::vector<std::string>& models) {
  check_all_there(files, models);
  check_numbers(files, models);
  Selection selection;
  for (const std::string& name : models) selection.files.push_back({name, Origin::kName});
  return selection;
}

bool can_be_a_whole_model(const std::string& name) { return name == "model.safetensors" || part_of(name).has_value(); }

// Left over from another form of the model: conversions that copied the source's index are common.
bool is_stale(const ModelFiles& files, const WeightIndex& index, const std::vector<std::string>& models) {
  return std::none_of(index.files.begin(), index.files.end(), [&](const std::string& name) { return files.has(name); }) &&
         std::any_of(models.begin(), models.end(), [&](const std::string& name) { return can_be_a_whole_model(name) && files.has(name); });
}

Selection by_index(const ModelFiles& files, WeightIndex index, const std::vector<std::string>& models) {
  if (is_stale(files, index, models)) {
    Selection selection = by_name(files, models);
    selection.notes.push_back(fmt::format("{} is ignored: none of the files that it names is there", kWeightIndexFile));
    return selection;
  }
  check_all_there(files, index.files);
  Selection selection;
  for (const std::string& name : index.files) selection.files.push_back({name, Origin::kIndex});
  for (const std::string& name : models) {
    if (!std::binary_search(index.files.begin(), index.files.end(), name) && files.has(name)) {
      selection.files.push_back({name, Origin::kExtra});
    }
  }
  std::sort(selection.files.begin(), selection.files.end(), [](const SelectedFile& a, const SelectedFile& b) { return a.name < b.name; });
  selection.index = std::move(index);
  return selection;
}

}  // namespace

Selection select_weight_files(const ModelFiles& files) {
  const std::vector<std::string> names = files.top_level_names();
  std::vector<std::string> models;
  std::copy_if(names.begin(), names.end(), std::back_inserter(models), is_mlx_weight_file);
  Selection selection;
  if (std::binary_search(names.begin(), names.end(), kWeightIndexFile)) {
    check_all_there(files, {kWeightIndexFile});
    const std::string where = (files.place() / kWeightIndexFile).string();
    selection = by_index(files, parse_weight_index(files.read_text(kWeightIndexFile, kMaxIndexBytes), where), models);
  } else {
    selection = by_name(files, models);
  }
  if (selection.files.empty()) refuse_without_weights(files, names);
  return selection;
}

}  // namespace hf2mlx
