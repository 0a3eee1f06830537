// A golden case as its file holds it (README.md here), and the checkpoint it stands for.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace hf2mlx::golden {

struct GeneratedTensor {
  std::string name;
  Dtype dtype;
  Shape shape;
  std::string fill;  // empty: the default of the dtype
  uint64_t shard = 0;
};

// As safetensors states it, with the beginning of the sha256 of the bytes.
struct TensorDigest {
  std::string dtype;
  Shape shape;
  std::string digest;
  bool operator==(const TensorDigest&) const = default;
};

struct ModelDigest {
  nlohmann::json config;
  std::map<std::string, TensorDigest> tensors;
};

struct Variant {
  std::string name;
  std::vector<std::string> args;      // of mlx_lm.convert
  std::optional<ModelDigest> wanted;  // nothing where mlx_lm refuses
};

struct GoldenCase {
  std::string name;
  nlohmann::ordered_json config;
  std::map<std::string, std::string> files;
  std::vector<GeneratedTensor> checkpoint;
  std::vector<Variant> variants;
};

inline constexpr size_t kDigestLength = 16;  // hex digits kept of a sha256

GoldenCase load_case(const std::filesystem::path& file);

// Writes the checkpoint into `folder`, which must not exist; `tokenizer` is the folder of files that every checkpoint gets.
void materialize(const GoldenCase& golden, const std::filesystem::path& tokenizer, const std::filesystem::path& folder);

}  // namespace hf2mlx::golden
