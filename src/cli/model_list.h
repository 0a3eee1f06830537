// The models that the program can find by itself: those in the Hugging Face cache and those in LM Studio's folder.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/conversions.h"
#include "hf2mlx/report.h"

namespace hf2mlx::cli {

struct ListedModel {
  std::string name;       // org/name
  std::string revision;   // of a cache entry: branch, tag or commit
  Inspection inspection;  // why_not says what is wrong where the model could not even be read
};

struct ModelList {
  std::filesystem::path folder;  // looked in; may be missing
  std::vector<ListedModel> models;
};

// What is in a folder, by its headers. A model that cannot be read is described by why_not, not by an exception.
Inspection inspect_or_explain(const std::filesystem::path& folder);

// As it can be given to convert: org/name, or org/name@revision, where a commit is shortened.
std::string name_for_convert(const std::string& name, const std::string& revision);

ModelList list_cached_models(const std::filesystem::path& cache_dir);
// Folders PUBLISHER/NAME that hold a config.json; other models there (GGUF) are not ours.
ModelList list_lm_studio_models(const std::filesystem::path& models_dir);

// A conversion, and what has become of its original.
struct ListedPair {
  Conversion conversion;
  Original original;
};
std::vector<ListedPair> list_pairs(const std::vector<SearchPlace>& places, const std::filesystem::path& cache_dir);

struct Listing {
  ModelList cache;
  ModelList lm_studio;
  std::vector<ListedPair> pairs;
};
void print_list(std::ostream& out, const Listing& listing);
Json to_json(const Listing& listing);

}  // namespace hf2mlx::cli
