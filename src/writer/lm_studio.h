// What a converted model is called in LM Studio's models folder; where that is says lm_studio_models in hf2mlx/places.h.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace hf2mlx {

// What a name template may use. A field that is empty does not apply to the output at hand.
struct NameFields {
  std::string model;       // "Qwen3-8B"
  std::string bits;        // "4"
  std::string mode;        // "affine"
  std::string group_size;  // "64"
};

inline constexpr const char* kDefaultNameTemplate = "{model}-MLX";

// Fills {model}, {bits}, {mode} and {group} in. A model that ends in "-MLX" already does not get a second one. Throws Error{kUsage} for an
// unknown or inapplicable field and for a result that cannot be a folder name.
std::string format_name(std::string_view name_template, const NameFields& fields);

// models / publisher / name. `publisher` empty: the source's organisation. Throws Error{kUsage} when there is neither, or when a part
// cannot be a folder name.
std::filesystem::path lm_studio_target(const std::filesystem::path& models, const std::string& publisher, const std::string& organisation,
                                       const std::string& name);

}  // namespace hf2mlx
