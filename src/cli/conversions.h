// What has been made of which model: by the manifests that conversions leave in their folders.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hf2mlx/options.h"

namespace hf2mlx::cli {

struct Conversion {
  std::filesystem::path folder;
  std::string name;      // of the original, without its organisation
  std::string repo_id;   // of the original; empty for a plain folder
  std::string revision;  // that was asked for; empty: main
  std::string commit;    // empty: not known
  std::string version;   // of hf2mlx
  QuantOptions quant;    // as far as this version knows them
  bool is_in_lm_studio = false;
};

// Where to look, and how far down folders are looked for.
struct SearchPlace {
  std::filesystem::path folder;
  int depth = 1;
  bool is_lm_studio = false;
};

// The current folder and LM Studio's.
std::vector<SearchPlace> usual_places(const std::filesystem::path& lm_studio);

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

// In the cache, or where a plain folder was its source, a folder of that name beside the conversion.
Original original_of(const Conversion& conversion, const std::filesystem::path& cache_dir);

}  // namespace hf2mlx::cli
