// Opens a model.
#include "source/open_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/system_error.h"
#include "source/hf_cache.h"
#include "source/incomplete.h"
#include "source/locate.h"
#include "source/model_files.h"
#include "source/quantizer_files.h"
#include "source/weights.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfigFile = "config.json";

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  throw_if(error, folder.string() + ": cannot be read");
  for (; entry != fs::directory_iterator(); entry.increment(error)) names.push_back(entry->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string hint_without_config(const fs::path& folder, const std::vector<std::string>& names) {
  struct Sign {
    const char* name;
    const char* hint;
  };
  constexpr std::array<Sign, 4> kSigns = {{
      {"adapter_config.json", "this is an adapter; merge it into its base model first"},
      {"model_index.json", "this is a pipeline of several models (such as for pictures); only language models can be converted"},
      {"params.json", "this is the publisher's own format; use the model in Hugging Face format"},
      {"tokenizer.json", "download config.json as well"},
  }};
  for (const Sign& sign : kSigns) {
    if (std::binary_search(names.begin(), names.end(), sign.name)) return sign.hint;
  }
  for (const std::string& name : names) {
    if (name.ends_with(".gguf")) return "GGUF files cannot be converted; use the original model, which is in safetensors format";
    if (const auto repo_id = repo_id_from_folder(name)) return fmt::format("this is a cache; name a model in it, such as {}", *repo_id);
    std::error_code ignored;
    if (fs::exists(folder / name / kConfigFile, ignored)) return fmt::format("did you mean {}?", (folder / name).string());
  }
  return "name the folder of a model in Hugging Face format";
}

[[noreturn]] void refuse_without_config(const fs::path& folder) {
  const std::vector<std::string> names = names_in(folder);
  if (names.empty()) {
    throw Error(ErrorCode::kNotFound, folder.string() + ": is empty, expected config.json and model*.safetensors", "download the model");
  }
  if (std::binary_search(names.begin(), names.end(), kConfigFile)) throw incomplete_model(folder, {kConfigFile});
  throw Error(ErrorCode::kNotFound, fmt::format("{}: no config.json, found {}", folder.string(), shorten(names)),
              hint_without_config(folder, names));
}

Json read_json(const ModelFiles& files, const char* name) {
  return parse_json(files.read_text(name, kMaxJsonFileBytes), (files.place() / name).string());
}

Json read_config(const ModelFiles& files) {
  if (!files.has(kConfigFile)) refuse_without_config(files.place());
  Json config = read_json(files, kConfigFile);
  if (config.is_object()) return config;
  throw Error(ErrorCode::kCorrupt,
              fmt::format("{}: found {}, expected an object", (files.place() / kConfigFile).string(), config.type_name()),
              "download config.json again");
}

// Null, with a note, when it cannot be read as an object: the model works without it.
Json read_optional(const ModelFiles& files, const char* name, std::vector<std::string>& notes) {
  try {
    if (!files.has(name)) return nullptr;
    Json value = read_json(files, name);
    if (value.is_object()) return value;
    notes.push_back(fmt::format("{} is ignored: found {}, expected an object", name, value.type_name()));
  } catch (const Error& problem) {
    if (problem.code() == ErrorCode::kCancelled || problem.code() == ErrorCode::kNetwork) throw;
    notes.push_back(fmt::format("{} is ignored: {}", name, problem.what()));
  }
  return nullptr;
}

Json read_quantizer_config(const ModelFiles& files, const std::vector<StoredTensor>& tensors, std::vector<std::string>& notes) {
  for (const QuantizerFile& file : kQuantizerFiles) {
    if (std::none_of(tensors.begin(), tensors.end(), [&](const StoredTensor& t) { return t.name.ends_with(file.tensor); })) continue;
    Json settings = read_optional(files, std::string(file.name).c_str(), notes);
    if (settings.is_null()) continue;
    if (!file.method.empty() && !settings.contains("quant_method")) settings["quant_method"] = file.method;
    return settings;
  }
  return nullptr;
}

}  // namespace

Checkpoint open_checkpoint(const SourceOptions& options) {
  Location location = locate_model(options);
  const FolderFiles files(location.folder);
  return open_checkpoint(std::move(location), files);
}

Checkpoint open_checkpoint(Location location, const ModelFiles& files) {
  Checkpoint checkpoint;
  checkpoint.folder = std::move(location.folder);
  checkpoint.name = std::move(location.name);
  checkpoint.organisation = std::move(location.organisation);
  checkpoint.repo_id = std::move(location.repo_id);
  checkpoint.commit = std::move(location.commit);
  checkpoint.notes = std::move(location.notes);
  checkpoint.config = read_config(files);
  checkpoint.config_eos = checkpoint.config.value("eos_token_id", Json());
  checkpoint.generation_config = read_optional(files, "generation_config.json", checkpoint.notes);
  checkpoint.tensors = read_weights(files, checkpoint.notes);
  checkpoint.quantizer_config = read_quantizer_config(files, checkpoint.tensors, checkpoint.notes);
  checkpoint.side_files = files.side_files(checkpoint.notes);
  for (const StoredTensor& tensor : checkpoint.tensors) checkpoint.weight_bytes += tensor.size_bytes;
  return checkpoint;
}

}  // namespace hf2mlx
