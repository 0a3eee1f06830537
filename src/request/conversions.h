// What has been made of which model: by the manifests that conversions leave in their folders.
#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "hf2mlx/options.h"
#include "hf2mlx/places.h"

namespace hf2mlx {

struct Conversion {
  std::filesystem::path folder;
  std::string name;      // of the original, without its organisation
  std::string repo_id;   // of the original; empty for a plain folder
  std::string revision;  // that was asked for; empty: main
  std::string commit;    // empty: not known
  std::string version;   // of hf2mlx
  QuantOptions quant;    // as far as this version knows them
  Json options;          // as the manifest has them
  bool is_in_lm_studio = false;
};

// Where to look, and how far down folders are looked for.
struct SearchPlace {
  std::filesystem::path folder;
  int depth = 1;
  bool is_lm_studio = false;
};

// LM Studio's models folder; empty where no home is known.
std::filesystem::path lm_studio_of(const Places& places);
// The current folder and LM Studio's, then `more`.
std::vector<SearchPlace> search_places(const std::vector<std::string>& more, const std::filesystem::path& lm_studio);
// --in FOLDER.
CLI::Option* declare_places(CLI::App& app, std::vector<std::string>& more);

// In the order of the places, sorted by path in each; a folder is found once. A manifest that cannot be read is none.
std::vector<Conversion> find_conversions(const std::vector<SearchPlace>& places);

enum class OriginalState {
  kCurrent,  // the original here is what the conversion was made of
  kMoved,    // it is another revision by now
  kUnknown,  // it is here, but one of both does not say which revision it is
  kAbsent,   // it is not here
};
const char* name_of(OriginalState state);  // "current", "moved", "unknown", "absent"

struct Original {
  OriginalState state = OriginalState::kAbsent;
  std::filesystem::path folder;  // empty when absent
  std::string commit;
};

// Whether `name` means it: the original's org/name or name alone, also with @revision, or what the folder itself is called.
bool is_called(const Conversion& conversion, const std::string& name);

// In the cache, or where a plain folder was its source, a folder of that name beside the conversion.
Original original_of(const Conversion& conversion, const std::filesystem::path& cache_dir);

Json to_json(const Conversion& conversion, const Original& original);

}  // namespace hf2mlx
