// Where LM Studio keeps its models, and what a converted model is called there. Reads LM Studio's own files; asks no environment.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace hf2mlx {

// LM Studio's models folder for the user whose home is `user_home`, whether or not it exists yet: `downloadsFolder` of settings.json in LM
// Studio's home, else `models` in that home, else ~/.cache/lm-studio/models of older versions where only that exists. LM Studio's home is
// what ~/.lmstudio-home-pointer names, else ~/.lmstudio. Throws Error{kCorrupt} for a settings.json that is not JSON: its models may be
// anywhere.
std::filesystem::path lm_studio_models(const std::filesystem::path& user_home);

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
