/// \file The models that are on this machine. Like the calls in convert.h: silent, thread-safe, throws Error.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hf2mlx/export.h"
#include "hf2mlx/report.h"

namespace hf2mlx {

struct ListedModel {
  std::string name;       ///< org/name
  std::string revision;   ///< of a cache entry: branch, tag or commit
  Inspection inspection;  ///< why_not says what is wrong where the model could not even be read
};

struct ModelList {
  std::filesystem::path folder;  ///< looked in; may be missing
  std::vector<ListedModel> models;
};

/// Where to look; an empty path: nowhere. places.h says where these folders usually are.
struct ListOptions {
  std::filesystem::path cache_dir;      ///< the Hugging Face hub cache
  std::filesystem::path lm_studio_dir;  ///< LM Studio's models
};

struct ModelLists {
  ModelList cache;      ///< every snapshot, sorted by repository
  ModelList lm_studio;  ///< folders PUBLISHER/NAME that hold a config.json, sorted; other models there (GGUF) are not ours
};

/// Reads headers only. A model that is broken is in the list all the same. A folder that is missing has no models. Throws Error{kIo} where
/// the cache cannot be read.
HF2MLX_API ModelLists list_models(const ListOptions& options);

/// What is in one folder, by its headers. A model that cannot be read is described by why_not: no Error is thrown.
HF2MLX_API Inspection inspect_or_explain(const std::filesystem::path& folder);

}  // namespace hf2mlx
