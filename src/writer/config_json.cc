// See config_json.h.
#include "writer/config_json.h"

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
    Json copy = *quantization;
    config["quantization_config"] = std::move(copy);
  }
  return config;
}

}  // namespace hf2mlx
