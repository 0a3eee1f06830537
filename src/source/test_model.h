// For tests: writes model folders and Hugging Face caches.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/temp_folder.h"
#include "tensor/safetensors.h"

namespace hf2mlx {

// A safetensors file with one U8 tensor of two bytes for each name.
inline std::string weights_of(const std::vector<std::string>& names) {
  const std::vector<uint64_t> shape = {2};
  std::vector<TensorSpec> tensors;
  for (const std::string& name : names) tensors.push_back({name, Dtype::kU8, shape});
  return lay_out_safetensors(tensors).header + std::string(2 * names.size(), 'w');
}

// An index of {tensor, file} pairs.
inline std::string index_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string text;
  for (const auto& [tensor, file] : pairs) text += fmt::format(R"({}"{}":"{}")", text.empty() ? "" : ",", tensor, file);
  return R"({"metadata":{"total_size":1,"more":[{}]},"weight_map":{)" + text + "}}";
}

inline constexpr const char* kCommitA = "aaaa567890123456789012345678901234567890";
inline constexpr const char* kCommitB = "bbbb567890123456789012345678901234567890";

// A file of a snapshot as huggingface_hub stores it: a link to a blob.
inline void put_cached(const TempFolder& cache, const std::string& repo_folder, const std::string& commit, const std::string& name,
                       const std::string& content) {
  const std::string blob = std::to_string(std::hash<std::string>()(name + content));
  cache.put(repo_folder + "/blobs/" + blob, content);
  cache.link(repo_folder + "/snapshots/" + commit + "/" + name, "../../blobs/" + blob);
}

}  // namespace hf2mlx
