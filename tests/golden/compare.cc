// An independent reader of model folders, and the comparison.
#include "golden/compare.h"

#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <stdexcept>

#include "io/digest.h"

namespace hf2mlx::golden {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr size_t kShownJson = 100;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.filename().string());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string digest_of(std::string_view bytes) {
  Digest hash(Hash::kSha256);
  hash.update(std::as_bytes(std::span(bytes.data(), bytes.size())));
  return hash.finish().substr(0, kDigestLength);
}

// Adds the tensors of one file, and their places to `weight_map`.
void read_shard(const fs::path& path, ModelDigest& model, json& weight_map) {
  const std::string name = path.filename().string();
  const std::string bytes = read_file(path);
  uint64_t length = 0;
  if (bytes.size() < sizeof length) throw std::runtime_error(name + ": too short");
  std::memcpy(&length, bytes.data(), sizeof length);
  const json header = json::parse(bytes.substr(sizeof length, length));
  const std::string_view data = std::string_view(bytes).substr(sizeof length + length);
  if (header.value("__metadata__", json()) != json{{"format", "mlx"}})
    throw std::runtime_error(name + ": metadata is not {\"format\": \"mlx\"}");
  uint64_t covered = 0;
  for (const auto& [tensor, entry] : header.items()) {
    if (tensor == "__metadata__") continue;
    const auto begin = entry.at("data_offsets").at(0).get<uint64_t>();
    const auto end = entry.at("data_offsets").at(1).get<uint64_t>();
    if (begin > end || end > data.size()) throw std::runtime_error(fmt::format("{}: {} lies outside of the file", name, tensor));
    if (weight_map.contains(tensor)) throw std::runtime_error(fmt::format("{}: {} is in two files", name, tensor));
    model.tensors[tensor] = {entry.at("dtype"), entry.at("shape"), digest_of(data.substr(begin, end - begin))};
    weight_map[tensor] = name;
    covered += end - begin;
  }
  if (covered != data.size()) throw std::runtime_error(fmt::format("{}: {} bytes of data, tensors cover {}", name, data.size(), covered));
}

bool is_shard(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with("model") && name.ends_with(".safetensors");
}

bool agree(const json& wanted, const json& got) {
  if (wanted.is_number_integer() && got.is_number_integer()) return wanted == got;
  if (wanted.type() != got.type() || wanted.size() != got.size()) return false;
  if (wanted.is_array()) return std::equal(wanted.begin(), wanted.end(), got.begin(), agree);
  if (!wanted.is_object()) return wanted == got;
  for (const auto& [key, value] : wanted.items()) {
    if (!got.contains(key)) return false;
    if (!(key == "group_size" && value.is_null()) && !agree(value, got[key])) return false;
  }
  return true;
}

std::string show(const TensorDigest& tensor) { return fmt::format("{} {}", tensor.dtype, to_string(tensor.shape)); }

std::string show(const json& object, const std::string& key) {
  return object.contains(key) ? object[key].dump().substr(0, kShownJson) : "nothing";
}

void compare_tensors(const ModelDigest& wanted, const ModelDigest& got, std::vector<std::string>& out) {
  for (const auto& [name, tensor] : wanted.tensors) {
    const auto found = got.tensors.find(name);
    if (found == got.tensors.end()) {
      out.push_back(fmt::format("missing {} {}", name, show(tensor)));
    } else if (show(found->second) != show(tensor)) {
      out.push_back(fmt::format("{}: {}, expected {}", name, show(found->second), show(tensor)));
    } else if (found->second != tensor) {
      out.push_back(fmt::format("{}: {}, bytes differ", name, show(tensor)));
    }
  }
  for (const auto& [name, tensor] : got.tensors) {
    if (!wanted.tensors.contains(name)) out.push_back(fmt::format("extra {} {}", name, show(tensor)));
  }
}

void compare_configs(const json& wanted, const json& got, std::vector<std::string>& out) {
  std::set<std::string> keys;
  for (const auto& side : {wanted, got}) {
    for (const auto& [key, value] : side.items()) keys.insert(key);
  }
  for (const auto& key : keys) {
    if (wanted.contains(key) && got.contains(key) && agree(wanted[key], got[key])) continue;
    out.push_back(fmt::format("config {}: {}, expected {}", key, show(got, key), show(wanted, key)));
  }
}

}  // namespace

ModelDigest read_model(const fs::path& folder) {
  ModelDigest model;
  json weight_map = json::object();
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (is_shard(entry.path())) read_shard(entry.path(), model, weight_map);
  }
  const json index = json::parse(read_file(folder / "model.safetensors.index.json"));
  if (index.at("weight_map") != weight_map) throw std::runtime_error("model.safetensors.index.json does not name the tensors as they lie");
  model.config = json::parse(read_file(folder / "config.json"));
  return model;
}

std::vector<std::string> differences(const ModelDigest& wanted, const ModelDigest& got) {
  std::vector<std::string> out;
  compare_tensors(wanted, got, out);
  compare_configs(wanted.config, got.config, out);
  return out;
}

}  // namespace hf2mlx::golden
