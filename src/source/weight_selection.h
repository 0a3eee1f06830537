// Which files of a model hold the model's weights. By names alone: nothing but the index is read. The rules are in weights.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "source/model_files.h"
#include "source/weight_index.h"

namespace hf2mlx {

enum class Origin {
  kName,   // a model*.safetensors, and there is no index that counts
  kIndex,  // the index names it
  kExtra,  // a model*.safetensors that the index does not name
};

struct SelectedFile {
  std::string name;
  Origin origin;
};

struct Selection {
  std::vector<SelectedFile> files;   // sorted by name, all of them there
  std::optional<WeightIndex> index;  // where it counts
  std::vector<std::string> notes;
};

// Error{kNotFound} when files are missing or there are none; Error{kUnsupported} when there are only weights of another format.
Selection select_weight_files(const ModelFiles& files);

}  // namespace hf2mlx
