// A model folder as the checks see it: what is broken in it is a finding, and the rest is looked at all the same.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "source/checkpoint.h"
#include "tensor/safetensors.h"
#include "verify/findings.h"

namespace hf2mlx {

// A model*.safetensors and its header.
struct WeightFile {
  std::string name;
  std::vector<TensorEntry> tensors;
};

struct ModelFolder {
  std::filesystem::path path;
  std::string name;                  // as the user calls the model
  std::vector<std::string> names;    // of the files at the top, sorted
  std::vector<SideFile> side_files;  // those in subfolders too
  std::vector<WeightFile> weights;   // sorted by name; without those that cannot be read
  Json config;                       // null when there is none that can be read; so the others
  Json generation_config;
  Json tokenizer_config;

  bool has(const std::string& file) const;
};

// Error{kNotFound, kIo} where there is no folder to look at.
ModelFolder open_model_folder(const std::filesystem::path& path, std::string name, Findings& findings);

}  // namespace hf2mlx
