// See conversions.h.
#include "request/conversions.h"

#include <fstream>
#include <optional>
#include <set>

#include "hf2mlx/error.h"
#include "io/folders.h"
#include "request/options.h"
#include "request/variants.h"
#include "source/download_metadata.h"
#include "source/hf_cache.h"
#include "source/locate.h"
#include "writer/manifest.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

std::optional<Conversion> read_conversion(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_regular_file(folder / kManifestFile, ignored)) return std::nullopt;
  try {
    const Json manifest = read_json_file(folder / kManifestFile);
    const Json& source = manifest.at("source");
    Conversion conversion;
    conversion.folder = folder;
    conversion.name = source.at("name").get<std::string>();
    conversion.repo_id = source.value("repo_id", "");
    conversion.revision = source.value("revision", "");
    conversion.commit = source.value("commit", "");
    conversion.version = manifest.value("hf2mlx", "");
    conversion.options = manifest.value("options", Json::object());
    ConvertOptions options;
    read_options(manifest, options);
    conversion.quant = options.quant;
    return conversion;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

class Search {
 public:
  void look_in(const SearchPlace& place) { look_in(place.folder, place.depth, place.is_lm_studio); }
  std::vector<Conversion> take() { return std::move(found_); }

 private:
  void look_in(const fs::path& folder, int depth, bool is_lm_studio) {
    for (const fs::path& inner : folders_in(folder)) {
      if (std::optional<Conversion> conversion = read_conversion(inner)) {
        conversion->is_in_lm_studio = is_lm_studio;
        if (seen_.insert(fs::canonical(inner)).second) found_.push_back(std::move(*conversion));
      } else if (depth > 1) {
        look_in(inner, depth - 1, is_lm_studio);
      }
    }
  }

  std::set<fs::path> seen_;
  std::vector<Conversion> found_;
};

Original compared(const Conversion& conversion, fs::path folder, std::string commit) {
  Original original{.state = OriginalState::kUnknown, .folder = std::move(folder), .commit = std::move(commit)};
  if (conversion.commit.empty() || original.commit.empty()) return original;
  original.state = conversion.commit == original.commit ? OriginalState::kCurrent : OriginalState::kMoved;
  return original;
}

Original in_cache(const Conversion& conversion, const fs::path& cache_dir) {
  try {
    const CacheEntry entry = find_snapshot(cache_dir / folder_of_repo(conversion.repo_id), conversion.revision).entry;
    return compared(conversion, entry.path, entry.commit);
  } catch (const Error&) {
    return {};
  }
}

Original beside(const Conversion& conversion) {
  const fs::path folder = conversion.folder.parent_path() / conversion.name;
  std::error_code ignored;
  const bool is_model = fs::exists(folder / "config.json", ignored) && folder != conversion.folder;
  if (!is_model || fs::path(conversion.name).has_parent_path()) return {};
  return compared(conversion, folder, commit_of_folder(folder));
}

}  // namespace

fs::path lm_studio_of(const Places& places) { return places.home.empty() ? fs::path() : lm_studio_models(places.home); }

std::vector<SearchPlace> search_places(const std::vector<std::string>& more, const fs::path& lm_studio) {
  constexpr int kPublisherAndName = 2;
  std::vector<SearchPlace> places = {{.folder = "."}, {.folder = lm_studio, .depth = kPublisherAndName, .is_lm_studio = true}};
  for (const std::string& folder : more) places.push_back({.folder = folder, .depth = kPublisherAndName});
  return places;
}

CLI::Option* declare_places(CLI::App& app, std::vector<std::string>& more) {
  return add_repeatable(
      app, "--in", more, "FOLDER",
      "look for conversions in FOLDER too, and in the folders in it; the current folder and LM Studio's are always looked in");
}

std::vector<Conversion> find_conversions(const std::vector<SearchPlace>& places) {
  Search search;
  for (const SearchPlace& place : places) search.look_in(place);
  return search.take();
}

const char* name_of(OriginalState state) {
  switch (state) {
    case OriginalState::kCurrent:
      return "current";
    case OriginalState::kMoved:
      return "moved";
    case OriginalState::kUnknown:
      return "unknown";
    case OriginalState::kAbsent:
      break;
  }
  return "absent";
}

bool is_called(const Conversion& conversion, const std::string& name) {
  const auto [model, revision] = split_repo_name(name, "");
  const bool is_revision = revision.empty() || revision == conversion.revision || conversion.commit.starts_with(revision);
  const std::string own_name = conversion.folder.filename().string();
  if (name == own_name || name == conversion.folder.parent_path().filename().string() + "/" + own_name) return true;
  return is_revision && (model == conversion.repo_id || model == conversion.name);
}

Original original_of(const Conversion& conversion, const fs::path& cache_dir) {
  return conversion.repo_id.empty() ? beside(conversion) : in_cache(conversion, cache_dir);
}

Json to_json(const Conversion& conversion, const Original& original) {
  return {{"path", fs::absolute(conversion.folder).lexically_normal().string()},
          {"as", label_of(conversion.quant)},
          {"options", conversion.options},
          {"version", conversion.version},
          {"source",
           {{"name", conversion.name}, {"repo_id", conversion.repo_id}, {"revision", conversion.revision}, {"commit", conversion.commit}}},
          {"original", {{"path", original.folder.string()}, {"commit", original.commit}, {"state", name_of(original.state)}}}};
}

}  // namespace hf2mlx
