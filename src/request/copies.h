// Where a model is on this machine, as it is asked for by name: what the program's command `where` and the C interface have in common.
#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "hf2mlx/places.h"

namespace hf2mlx {

struct WhereArguments {
  std::string name;
  std::string format;               // "mlx", "hf"; empty: a conversion where there is one, else the original
  std::vector<std::string> places;  // to look in, besides the usual ones
  bool all = false;
};
void declare_where(CLI::App& app, WhereArguments& arguments);

struct Copy {
  const char* format = "mlx";
  std::filesystem::path path;
  Json details = Json::object();  // of a conversion
  bool is_current = true;         // its original has not moved on
  std::filesystem::file_time_type time = {};
};

// Those of the newest revision first, then the latest first; there is one at least. Throws Error{kNotFound} where there is none, or an
// original that is not complete.
std::vector<Copy> find_copies(const WhereArguments& arguments, const Places& places);
// {"copies": [...]}
Json to_json(const std::vector<Copy>& copies);

}  // namespace hf2mlx
