// The models of this machine, and what has been made of which.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "hf2mlx/list.h"
#include "hf2mlx/places.h"
#include "request/conversions.h"

namespace hf2mlx {

// A conversion, and what has become of its original.
struct ListedPair {
  Conversion conversion;
  Original original;
};

struct Listing {
  ModelLists models;
  std::vector<ListedPair> pairs;  // sorted by the original's name
};

// `more`: folders in which conversions are looked for, too, as declare_places has them.
Listing make_listing(const Places& places, const std::vector<std::string>& more);
Json to_json(const Listing& listing);

}  // namespace hf2mlx
