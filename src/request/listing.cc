// See listing.h.
#include "request/listing.h"

#include <algorithm>

#include "report/report_json.h"

namespace hf2mlx {
namespace {

const std::string& name_of_original(const ListedPair& pair) {
  return pair.conversion.repo_id.empty() ? pair.conversion.name : pair.conversion.repo_id;
}

}  // namespace

Listing make_listing(const Places& places, const std::vector<std::string>& more) {
  const std::filesystem::path lm_studio = lm_studio_of(places);
  Listing listing{.models = list_models({.cache_dir = places.hub_cache, .lm_studio_dir = lm_studio}), .pairs = {}};
  for (Conversion& conversion : find_conversions(search_places(more, lm_studio))) {
    Original original = original_of(conversion, places.hub_cache);
    listing.pairs.push_back({std::move(conversion), std::move(original)});
  }
  std::stable_sort(listing.pairs.begin(), listing.pairs.end(),
                   [](const ListedPair& a, const ListedPair& b) { return name_of_original(a) < name_of_original(b); });
  return listing;
}

Json to_json(const Listing& listing) {
  Json json = to_json(listing.models);
  json["conversions"] = Json::array();
  for (const ListedPair& pair : listing.pairs) json["conversions"].push_back(to_json(pair.conversion, pair.original));
  return json;
}

}  // namespace hf2mlx
