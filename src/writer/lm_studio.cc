// See lm_studio.h.
#include "writer/lm_studio.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/text_file.h"
#include "hf2mlx/error.h"
#include "hf2mlx/places.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGiveOutput = "give the target folder itself with --output";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string trimmed(const std::string& text) {
  constexpr const char* kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string::npos ? std::string() : text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

// "~" and relative paths count from the user's home, never from the working directory.
fs::path absolute_in(const fs::path& user_home, const std::string& text) {
  if (text == "~") return user_home;
  return user_home / (text.starts_with("~/") ? text.substr(2) : text);
}

fs::path lm_studio_home(const fs::path& user_home) {
  constexpr uint64_t kMaxBytes = 1 << 16;
  const fs::path pointer = user_home / ".lmstudio-home-pointer";
  const std::string named = is_there(pointer) ? trimmed(read_text_file(pointer, kMaxBytes)) : std::string();
  return named.empty() ? user_home / ".lmstudio" : absolute_in(user_home, named);
}

std::optional<std::string> downloads_folder(const fs::path& settings) {
  if (!is_there(settings)) return std::nullopt;
  try {
    const Json json = read_json_file(settings);
    const auto at = json.find("downloadsFolder");
    if (at == json.end() || !at->is_string() || at->get_ref<const std::string&>().empty()) return std::nullopt;
    return at->get<std::string>();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorrupt) throw;
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: not JSON, expected LM Studio's settings ({})", settings.string(), error.what()),
                kGiveOutput);
  }
}

void check_folder_name(const std::string& what, const std::string& name) {
  const bool control = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (!name.empty() && name.find_first_of("/\\") == std::string::npos && name.find("..") == std::string::npos && name != "." && !control)
    return;
  throw Error(ErrorCode::kUsage, fmt::format("{}: \"{}\", expected a plain folder name without / and ..", what, name), kGiveOutput);
}

const std::string& field_named(std::string_view field, std::string_view name_template, const NameFields& fields) {
  const std::array<std::pair<std::string_view, const std::string*>, 4> known = {
      {{"model", &fields.model}, {"bits", &fields.bits}, {"mode", &fields.mode}, {"group", &fields.group_size}}};
  for (const auto& [name, value] : known) {
    if (field != name) continue;
    if (!value->empty()) return *value;
    throw Error(ErrorCode::kUsage,
                fmt::format("name template \"{}\": {{{}}} has no value here, expected a quantized output", name_template, field),
                "leave the field out, or quantize");
  }
  throw Error(ErrorCode::kUsage, fmt::format("name template \"{}\": unknown field {{{}}}", name_template, field),
              "the fields are {model}, {bits}, {mode} and {group}");
}

}  // namespace

fs::path lm_studio_models(const fs::path& user_home) {
  const fs::path home = lm_studio_home(user_home);
  if (const auto chosen = downloads_folder(home / "settings.json")) return absolute_in(user_home, *chosen);
  const fs::path older = user_home / ".cache" / "lm-studio" / "models";
  return !is_there(home / "models") && is_there(older) ? older : home / "models";
}

std::string format_name(std::string_view name_template, const NameFields& fields) {
  std::string out;
  for (size_t at = 0; at < name_template.size();) {
    const size_t close = name_template[at] == '{' ? name_template.find('}', at) : std::string_view::npos;
    if (close == std::string_view::npos) {
      out += name_template[at++];
    } else {
      out += field_named(name_template.substr(at + 1, close - at - 1), name_template, fields);
      at = close + 1;
    }
  }
  constexpr std::string_view kTwice = "-MLX-MLX";
  const size_t twice = out.find(kTwice);
  if (twice != std::string::npos) out.erase(twice, kTwice.size() / 2);
  check_folder_name("model name", out);
  return out;
}

fs::path lm_studio_target(const fs::path& models, const std::string& publisher, const std::string& organisation, const std::string& name) {
  const std::string& owner = publisher.empty() ? organisation : publisher;
  if (owner.empty()) {
    throw Error(ErrorCode::kUsage, "--lm-studio: no publisher, and the source does not say whose model it is",
                "name one: --lm-studio PUBLISHER");
  }
  check_folder_name("publisher", owner);
  check_folder_name("model name", name);
  return models / owner / name;
}

}  // namespace hf2mlx
