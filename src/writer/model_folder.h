// Everything of an output folder that is not tensor data: index, configuration, the source's other files, chat template, card, manifest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "hf2mlx/options.h"
#include "source/checkpoint.h"
#include "writer/config_json.h"
#include "writer/index_json.h"
#include "writer/output_file.h"

namespace hf2mlx {

// What the plan knows. Names in `tensors` must outlive the call.
struct WriterInput {
  const ConvertOptions& options;
  std::string title = {};  // of the model card; empty: the model's name
  Json config = {};        // as planned, before finish_config
  Keep vision = Keep::kNo;
  std::vector<IndexEntry> tensors = {};
  uint64_t total_size_bytes = 0;
  uint64_t total_parameters = 0;
  double bits_per_weight = 0;
  std::map<std::string, FileDigest> weight_digests = {};  // by file name, for the manifest; may be empty
};

struct WrittenFiles {
  std::vector<std::string> files;  // relative to the folder, sorted
  std::vector<std::string> notes;  // what the user should know
};

// config.json as it is written.
Json output_config(const Checkpoint& checkpoint, const WriterInput& input);

// Whether a file of the source goes along byte for byte.
bool is_copied(const SideFile& file, const ConvertOptions& options);

// Writes all of it into `staging`, which exists. The bytes depend on nothing but the arguments and the source's files.
WrittenFiles write_side_files(const Checkpoint& checkpoint, const WriterInput& input, const std::filesystem::path& staging);

}  // namespace hf2mlx
