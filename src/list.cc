// See list.h.
#include "hf2mlx/list.h"

#include "hf2mlx/convert.h"
#include "io/folders.h"
#include "source/hf_cache.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

ModelList cached_models(const fs::path& cache_dir) {
  ModelList list{.folder = cache_dir, .models = {}};
  for (const CacheEntry& entry : list_cache(cache_dir)) {
    list.models.push_back({entry.repo_id, entry.revision.empty() ? entry.commit : entry.revision, inspect_or_explain(entry.path)});
  }
  return list;
}

ModelList lm_studio_models_in(const fs::path& models_dir) {
  ModelList list{.folder = models_dir, .models = {}};
  for (const fs::path& publisher : folders_in(models_dir)) {
    for (const fs::path& model : folders_in(publisher)) {
      std::error_code ignored;
      if (!fs::exists(model / "config.json", ignored)) continue;
      list.models.push_back({publisher.filename().string() + "/" + model.filename().string(), "", inspect_or_explain(model)});
    }
  }
  return list;
}

}  // namespace

ModelLists list_models(const ListOptions& options) {
  ModelLists lists;
  if (!options.cache_dir.empty()) lists.cache = cached_models(options.cache_dir);
  if (!options.lm_studio_dir.empty()) lists.lm_studio = lm_studio_models_in(options.lm_studio_dir);
  return lists;
}

Inspection inspect_or_explain(const fs::path& folder) {
  try {
    SourceOptions source;
    source.model = folder.string();
    return inspect(source);
  } catch (const Error& error) {
    Inspection inspection;
    inspection.source = folder;
    inspection.why_not = error.what();
    return inspection;
  }
}

}  // namespace hf2mlx
