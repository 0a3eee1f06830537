// Parsing of case files and writing of checkpoints.
#include "golden/golden_case.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "golden/generator.h"

namespace hf2mlx::golden {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::string_view kInfinity = "\"<Infinity>\"";

GeneratedTensor parse_tensor(const ordered_json& row) {
  GeneratedTensor tensor{row.at(0), *dtype_from_name(row.at(1).get<std::string>()), row.at(2), {}, 0};
  if (row.size() > 3) {
    tensor.fill = row[3].value("fill", "");
    tensor.shard = row[3].value("file", uint64_t{0});
  }
  return tensor;
}

json changed_config(const ordered_json& before, const ordered_json& change) {
  json config = json(before);
  if (change.contains("drop")) {
    for (const auto& key : change["drop"]) config.erase(key.get<std::string>());
  }
  if (change.contains("set")) config.update(json(change["set"]));
  if (config.value("quantization_config", json()) == "=quantization") config["quantization_config"] = config["quantization"];
  return config;
}

bool is_user(const std::string& users, const std::string& variant) {
  if (users == "*") return true;
  std::istringstream words(users);
  for (std::string word; words >> word;) {
    if (word == variant) return true;
  }
  return false;
}

std::map<std::string, TensorDigest> tensors_of(const ordered_json& tensors, const std::string& variant) {
  std::map<std::string, TensorDigest> out;
  for (const auto& [name, rows] : tensors.items()) {
    for (const auto& row : rows) {
      if (is_user(row.at(0), variant)) out[name] = {row.at(1), row.at(2), row.at(3)};
    }
  }
  return out;
}

Variant parse_variant(const ordered_json& file, const std::string& name) {
  Variant variant{name, file.at("variants").at(name), std::nullopt};
  if (file.contains("configs") && file["configs"].contains(name)) {
    variant.wanted = ModelDigest{changed_config(file.at("config"), file["configs"][name]), tensors_of(file.at("tensors"), name)};
  }
  return variant;
}

void write_text(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
  if (fs::file_size(path) != text.size()) throw std::runtime_error("cannot write " + path.string());
}

std::string config_text(const ordered_json& config) {
  std::string text = config.dump(2);
  for (size_t at; (at = text.find(kInfinity)) != std::string::npos;) text.replace(at, kInfinity.size(), "Infinity");
  return text + "\n";
}

// The bytes of a safetensors file with the tensors of one shard.
std::string shard_bytes(const GoldenCase& golden, uint64_t shard) {
  ordered_json header = {{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const auto& tensor : golden.checkpoint) {
    if (tensor.shard != shard) continue;
    const auto values = tensor_values(tensor.name, tensor.dtype, element_count(tensor.shape), tensor.fill);
    const uint64_t begin = data.size();
    data.append(reinterpret_cast<const char*>(values.data()), values.size());
    header[tensor.name] = {{"dtype", name_of(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + data;
}

void write_weights(const GoldenCase& golden, const fs::path& folder) {
  uint64_t shards = 1;
  for (const auto& tensor : golden.checkpoint) shards = std::max(shards, tensor.shard + 1);
  const auto file_of = [&](uint64_t shard) {
    return shards == 1 ? "model.safetensors" : fmt::format("model-{:05}-of-{:05}.safetensors", shard + 1, shards);
  };
  for (uint64_t shard = 0; shard < shards; ++shard) write_text(folder / file_of(shard), shard_bytes(golden, shard));
  if (shards == 1) return;
  ordered_json index = {{"metadata", {{"total_size", 0}}}, {"weight_map", ordered_json::object()}};
  uint64_t total = 0;
  for (const auto& tensor : golden.checkpoint) {
    total += element_count(tensor.shape) * size_of(tensor.dtype);
    index["weight_map"][tensor.name] = file_of(tensor.shard);
  }
  index["metadata"]["total_size"] = total;
  write_text(folder / "model.safetensors.index.json", index.dump(2));
}

}  // namespace

GoldenCase load_case(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const ordered_json content = ordered_json::parse(in);
  GoldenCase golden{file.stem().string(), content.at("config"), {}, {}, {}};
  if (content.contains("files")) content["files"].get_to(golden.files);
  for (const auto& row : content.at("checkpoint")) golden.checkpoint.push_back(parse_tensor(row));
  for (const auto& [name, args] : content.at("variants").items()) golden.variants.push_back(parse_variant(content, name));
  return golden;
}

void materialize(const GoldenCase& golden, const fs::path& tokenizer, const fs::path& folder) {
  fs::copy(tokenizer, folder);
  for (const auto& [name, text] : golden.files) write_text(folder / name, text);
  write_text(folder / "config.json", config_text(golden.config));
  write_weights(golden, folder);
}

}  // namespace hf2mlx::golden
