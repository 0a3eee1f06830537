// See config_json.h.
#include "writer/config_json.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

namespace hf2mlx {
namespace {

// Python's idea of truth: mlx_lm merges with `if eos := ...get("eos_token_id")`, so token 0 does not count.
bool truthy(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return !value.empty();
}

// mlx_lm passes a layer's entry to the layer, which takes no other words.
void remove_unknown_words(Json& quantization) {
  constexpr std::array<std::string_view, 4> kWords = {"group_size", "bits", "mode", "quantize_input"};
  const auto is_unknown = [&](const std::string& word) { return std::find(kWords.begin(), kWords.end(), word) == kWords.end(); };
  for (Json& entry : quantization) {
    if (!entry.is_object() || !entry.contains("group_size") || !entry.contains("bits")) continue;
    for (auto at = entry.begin(); at != entry.end();) at = is_unknown(at.key()) ? entry.erase(at) : std::next(at);
  }
}

}  // namespace

Json merge_generation_config(Json config, const Json& generation_config) {
  if (!generation_config.is_object()) return config;
  const auto eos = generation_config.find("eos_token_id");
  if (eos != generation_config.end() && truthy(*eos)) config["eos_token_id"] = *eos;
  return config;
}

Json finish_config(Json config, Keep vision) {
  config.erase("_name_or_path");
  if (vision == Keep::kNo) config.erase("vision_config");
  const auto quantization = config.find("quantization");
  if (quantization != config.end()) {
    remove_unknown_words(*quantization);
    Json copy = *quantization;
    config["quantization_config"] = std::move(copy);
  }
  return config;
}

}  // namespace hf2mlx
