// See manifest.h.
#include "writer/manifest.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "source/locate.h"

namespace hf2mlx {
namespace {

bool leads_out(const std::string& file) {
  const std::filesystem::path path(file);
  return path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end() || file.find('\0') != file.npos;
}

Json to_json(const LayerChoice& choice) {
  if (choice.kind == LayerChoice::Kind::kKeep) return false;
  Json out = Json::object();
  if (choice.bits) out["bits"] = *choice.bits;
  if (choice.group_size) out["group_size"] = *choice.group_size;
  if (choice.mode) out["mode"] = *choice.mode;
  return out;
}

// As a predicate would say it: false, or what is stated of a layer.
LayerChoices choices_from(const Json& stated) {
  LayerChoices choices;
  for (const auto& [path, value] : stated.items()) {
    LayerChoice& choice = choices.by_path[path];
    choice.kind = value.is_object() ? LayerChoice::Kind::kStated : LayerChoice::Kind::kKeep;
    if (value.contains("bits")) choice.bits = value["bits"].get<uint32_t>();
    if (value.contains("group_size")) choice.group_size = value["group_size"].get<uint32_t>();
    if (value.contains("mode")) choice.mode = value["mode"].get<std::string>();
  }
  return choices;
}

Json choices_json(const LayerChoices& choices) {
  Json out = Json::object();
  for (const auto& [path, choice] : choices.by_path) out[path] = to_json(choice);
  return out;
}

// Options that change the result, and only where they were given.
Json options_json(const ConvertOptions& options) {
  const QuantOptions& quant = options.quant;
  Json out = {{"quantize", quant.quantize}, {"dequantize", quant.dequantize}};
  if (quant.quantize) out["mode"] = quant.mode;
  if (quant.quantize && quant.requantize) out["requantize"] = true;
  if (quant.bits) out["bits"] = *quant.bits;
  if (quant.group_size) out["group_size"] = *quant.group_size;
  if (!quant.recipe.empty()) out["recipe"] = quant.recipe;
  if (!quant.fit.empty()) out["fit"] = quant.fit;
  if (!quant.lattice.empty()) out["lattice"] = quant.lattice;
  if (!quant.imatrix.empty()) out["imatrix"] = quant.imatrix.filename().string();
  if (!quant.dtype.empty()) out["dtype"] = quant.dtype;
  if (const auto* choices = quant.predicate.target<LayerChoices>()) out["choices"] = choices_json(*choices);
  if (!quant.overrides.empty()) out["overrides"] = quant.overrides;
  if (!options.source.arch.empty()) out["arch"] = options.source.arch;
  if (options.fix_eos) out["fix_eos"] = true;
  out["max_shard_bytes"] = options.max_shard_bytes;
  return out;
}

// The branch or tag that was asked for: it may lead to another commit by now.
std::string moving_revision(const SourceOptions& source, const Checkpoint& checkpoint) {
  if (checkpoint.repo_id.empty()) return {};
  const std::optional<RepoName> repo = repo_of_model(source);
  const std::string& revision = repo ? repo->revision : source.revision;
  return revision == "main" || checkpoint.commit.starts_with(revision) ? "" : revision;
}

Json source_json(const SourceOptions& source, const Checkpoint& checkpoint) {
  Json out = {{"name", checkpoint.name}};
  if (!checkpoint.repo_id.empty()) out["repo_id"] = checkpoint.repo_id;
  if (!checkpoint.commit.empty()) out["commit"] = checkpoint.commit;
  if (const std::string revision = moving_revision(source, checkpoint); !revision.empty()) out["revision"] = revision;
  return out;
}

void add_files(Json& out, const std::map<std::string, FileDigest>& files) {
  for (const auto& [path, digest] : files) {
    out[path] = {{"size", digest.size_bytes}};
    if (!digest.sha256.empty()) out[path]["sha256"] = digest.sha256;
  }
}

}  // namespace

std::map<std::string, FileDigest> recorded_files(const Json& manifest) {
  std::map<std::string, FileDigest> out;
  const Json files = manifest.is_object() ? manifest.value("files", Json()) : Json();
  if (!files.is_object()) return out;
  for (const auto& [name, entry] : files.items()) {
    if (!entry.is_object() || leads_out(name)) continue;
    const Json size = entry.value("size", Json());
    const Json sha256 = entry.value("sha256", Json(""));
    if (size.is_number_unsigned() && sha256.is_string()) out[name] = {size.get<uint64_t>(), sha256.get<std::string>()};
  }
  return out;
}

bool read_options(const Json& manifest, ConvertOptions& options) {
  const Json stated = manifest.is_object() ? manifest.value("options", Json()) : Json();
  if (!stated.is_object()) return false;
  QuantOptions& quant = options.quant;
  try {
    for (const auto& [key, value] : stated.items()) {
      if (key == "quantize")
        quant.quantize = value.get<bool>();
      else if (key == "dequantize")
        quant.dequantize = value.get<bool>();
      else if (key == "requantize")
        quant.requantize = value.get<bool>();
      else if (key == "mode")
        quant.mode = value.get<std::string>();
      else if (key == "bits")
        quant.bits = value.get<uint32_t>();
      else if (key == "group_size")
        quant.group_size = value.get<uint32_t>();
      else if (key == "recipe")
        quant.recipe = value.get<std::string>();
      else if (key == "fit")
        quant.fit = value.get<std::string>();
      else if (key == "lattice")
        quant.lattice = value.get<std::string>();
      else if (key == "dtype")
        quant.dtype = value.get<std::string>();
      else if (key == "overrides")
        quant.overrides = value.get<std::vector<std::string>>();
      else if (key == "choices")
        quant.predicate = choices_from(value);
      else if (key == "arch")
        options.source.arch = value.get<std::string>();
      else if (key == "fix_eos")
        options.fix_eos = value.get<bool>();
      else if (key == "max_shard_bytes")
        options.max_shard_bytes = value.get<uint64_t>();
      else
        return false;
    }
  } catch (const Json::exception&) {
    return false;
  }
  return true;
}

Json make_manifest(const Checkpoint& checkpoint, const WriterInput& input, const std::map<std::string, FileDigest>& files) {
  Json listed = Json::object();
  add_files(listed, input.weight_digests);
  add_files(listed, files);
  return {{"hf2mlx", HF2MLX_VERSION},
          {"source", source_json(input.options.source, checkpoint)},
          {"options", options_json(input.options)},
          {"files", std::move(listed)}};
}

}  // namespace hf2mlx
