// See copies.h.
#include "request/copies.h"

#include <fmt/format.h>

#include <algorithm>

#include "hf2mlx/error.h"
#include "request/conversions.h"
#include "request/options.h"
#include "source/hf_cache.h"
#include "source/open_checkpoint.h"
#include "writer/manifest.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

std::vector<Conversion> conversions_of(const WhereArguments& arguments, const Places& places) {
  std::vector<Conversion> found = find_conversions(search_places(arguments.places, lm_studio_of(places)));
  std::erase_if(found, [&](const Conversion& conversion) { return !is_called(conversion, arguments.name); });
  return found;
}

std::vector<Copy> converted(const WhereArguments& arguments, const Places& places) {
  std::vector<Copy> copies;
  for (const Conversion& conversion : conversions_of(arguments, places)) {
    const Original made_of = original_of(conversion, places.hub_cache);
    std::error_code ignored;
    Copy& copy = copies.emplace_back();
    copy.path = fs::absolute(conversion.folder).lexically_normal();
    copy.details = to_json(conversion, made_of);
    copy.is_current = made_of.state == OriginalState::kCurrent;
    copy.time = fs::last_write_time(conversion.folder / "config.json", ignored);
  }
  std::stable_sort(copies.begin(), copies.end(),
                   [](const Copy& a, const Copy& b) { return std::pair(a.is_current, a.time) > std::pair(b.is_current, b.time); });
  return copies;
}

// Of a name that only a conversion knows, that of what it was made of.
std::string name_of_original(const WhereArguments& arguments, const Places& places) {
  const std::string& name = arguments.name;
  std::error_code ignored;
  const fs::path folder(name);
  const bool is_original = fs::exists(folder / "config.json", ignored) && !fs::exists(folder / kManifestFile, ignored);
  const std::string repo_id = split_repo_name(name, "").repo_id;
  if (is_original || fs::exists(places.hub_cache / folder_of_repo(repo_id), ignored)) return name;
  const std::vector<Conversion> conversions = conversions_of(arguments, places);
  if (conversions.empty()) return name;
  const Conversion& conversion = conversions.front();
  if (!conversion.repo_id.empty()) return conversion.repo_id;
  const Original made_of = original_of(conversion, places.hub_cache);
  if (made_of.state != OriginalState::kAbsent) return made_of.folder.string();
  throw Error(ErrorCode::kNotFound, fmt::format("{}: made of {}, which is not here any more", name, conversion.name));
}

// Complete, or an error.
Copy original(const WhereArguments& arguments, const Places& places) {
  SourceOptions source;
  source.model = name_of_original(arguments, places);
  source.cache_dir = places.hub_cache;
  Copy copy;
  copy.format = "hf";
  copy.path = fs::absolute(open_checkpoint(source).folder).lexically_normal();
  return copy;
}

}  // namespace

void declare_where(CLI::App& app, WhereArguments& arguments) {
  add_value(app, "NAME", arguments.name, "NAME", "org/name or the name alone, also with @revision, or what a converted folder is called")
      ->required()
      ->group("Model");
  add_choice(app, "--format", arguments.format, "mlx|hf", "what was converted, or the original (default: mlx where there is one, else hf)")
      ->group("Model");
  declare_places(app, arguments.places)->group("Model");
  app.add_flag("--all", arguments.all, "print every conversion: those of the newest revision first, then the latest first")
      ->group("Output");
}

std::vector<Copy> find_copies(const WhereArguments& arguments, const Places& places) {
  std::vector<Copy> copies;
  if (arguments.format != "hf") copies = converted(arguments, places);
  if (arguments.format != "mlx" && copies.empty()) copies.push_back(original(arguments, places));
  if (!copies.empty()) return copies;
  throw Error(ErrorCode::kNotFound, fmt::format("{}: no conversion of it in the current folder or LM Studio's", arguments.name),
              fmt::format("hf2mlx convert {} -q --lm-studio makes one; --in FOLDER looks in other folders too", arguments.name));
}

Json to_json(const std::vector<Copy>& copies) {
  Json list = Json::array();
  for (const Copy& copy : copies) {
    Json each = copy.details;
    each["format"] = copy.format;
    each["path"] = copy.path.string();
    list.push_back(std::move(each));
  }
  return {{"copies", list}};
}

}  // namespace hf2mlx
