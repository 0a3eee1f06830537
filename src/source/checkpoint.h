// A model folder on disk (or, later, on the hub) with its headers read and checked. No weight is read.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "io/file.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace hf2mlx {

// One tensor of a safetensors file, as its header states it.
struct StoredTensor {
  std::string name;
  Dtype dtype;
  Shape shape;
  std::shared_ptr<const Reader> file;
  uint64_t offset_bytes;  // from the beginning of the file
  uint64_t size_bytes;
};

// A file that is not weights and goes along unchanged.
struct SideFile {
  std::string relative_path;     // with '/', never absolute, never containing ".."
  std::filesystem::path source;  // symlinks resolved
  uint64_t size_bytes;
};

struct Checkpoint {
  std::filesystem::path folder;       // where the files are (for a cache entry: the snapshot)
  std::string name;                   // "Qwen3-8B": the model's name without its organisation
  std::string organisation;           // "Qwen", or empty for a plain folder without one
  std::string repo_id;                // "Qwen/Qwen3-8B" for a cache entry or hub repository, else empty
  std::string commit;                 // of the snapshot, or that a plain folder was downloaded from; else empty
  Json config;                        // config.json as it stands, tagged floats decoded
  Json config_eos;                    // eos_token_id of config.json, which that of generation_config.json replaces in `config`
  Json generation_config;             // null when missing or not JSON
  Json quantizer_config;              // the first of kQuantizerFiles, with its quant_method; null when there is none
  std::vector<StoredTensor> tensors;  // sorted by name, names unique
  std::vector<SideFile> side_files;   // sorted by path
  uint64_t weight_bytes = 0;          // of all tensors
  std::vector<std::string> notes;     // what the user should know (ignored weight files ...)
};

}  // namespace hf2mlx
