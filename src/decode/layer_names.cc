// Which layers config.json means: the targets of compressed-tensors' groups, and the lists of what is not quantized.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <regex>

#include "arch/pattern.h"
#include "decode/session.h"

namespace hf2mlx {
namespace {

// How the names in a list stand for layers, beside the layer of just that name.
enum class Meaning : uint8_t { kRegex, kGlob, kTree };

struct List {
  const char* key;
  Meaning meaning;
};

// compressed-tensors marks regular expressions, ModelOpt knows wildcards, transformers means all that is below a name.
constexpr List kLists[] = {{"ignore", Meaning::kRegex},
                           {"exclude_modules", Meaning::kGlob},
                           {"ignored_layers", Meaning::kTree},
                           {"modules_to_not_convert", Meaning::kTree},
                           {"llm_int8_skip_modules", Meaning::kTree}};

const std::regex& compiled(const std::string& expression) {
  thread_local std::map<std::string, std::regex> known;
  try {
    return known.try_emplace(expression, expression).first->second;
  } catch (const std::regex_error&) {
    throw Error(ErrorCode::kUnsupported, "config.json: 're:" + expression + "' is no regular expression that can be read");
  }
}

bool regex_matches(const std::string& expression, const std::string& layer) {
  return std::regex_search(layer, compiled(expression), std::regex_constants::match_continuous);
}

bool names_layer(const Json& target, const std::string& layer) {
  if (!target.is_string()) return false;
  const std::string text = target.get<std::string>();
  if (text.starts_with("re:")) return regex_matches(text.substr(3), layer);
  return text == layer || layer.ends_with("." + text);
}

bool stands_for(const std::string& text, Meaning meaning, const std::string& layer) {
  switch (meaning) {
    case Meaning::kRegex:
      return text.starts_with("re:") && regex_matches(text.substr(3), layer);
    case Meaning::kGlob:
      return text.find('*') != std::string::npos && text.find('{') == std::string::npos && Pattern(text).matches(layer);
    case Meaning::kTree:
      return layer.starts_with(text + ".");
  }
  return false;
}

bool has_digits(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

std::string kind_of_layer(const std::string& layer) {
  std::string kind;
  for (const char c : layer) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit)
      kind += c;
    else if (kind.empty() || kind.back() != '#')
      kind += '#';
  }
  return kind;
}

const Json* group_weights(const Json& settings, const std::string& layer) {
  const auto groups = settings.find("config_groups");
  if (groups == settings.end() || !groups->is_object()) return nullptr;
  const Json* chosen = nullptr;
  bool is_named = false;
  for (const Json& group : *groups) {
    if (!group.is_object() || !group.contains("weights") || !group["weights"].is_object()) continue;
    const Json targets = group.value("targets", Json::array());
    const bool named = std::any_of(targets.begin(), targets.end(), [&](const Json& target) { return names_layer(target, layer); });
    const bool linear = groups->size() == 1 || std::find(targets.begin(), targets.end(), "Linear") != targets.end();
    if ((named && !is_named) || (linear && !chosen)) chosen = &group["weights"];
    is_named = is_named || named;
  }
  return chosen;
}

void DecodeSession::refuse_ignored(const std::string& layer) {
  // Layers by the thousand differ in numbers alone, which most expressions do not look at.
  const bool first_of_kind = seen_kinds_.insert(kind_of_layer(layer)).second;
  for (const List& list : kLists) {
    const auto names = settings_.find(list.key);
    if (names == settings_.end() || !names->is_array()) continue;
    for (const Json& name : *names) {
      if (!name.is_string()) continue;
      const std::string text = name.get<std::string>();
      if (text != layer && (!(first_of_kind || has_digits(text)) || !stands_for(text, list.meaning, layer))) continue;
      throw Error(ErrorCode::kCorrupt,
                  text == layer
                      ? fmt::format("config.json: \"{}\" names {} as not quantized, but its weight is", list.key, layer)
                      : fmt::format("config.json: \"{}\" says by '{}' that {} is not quantized, but its weight is", list.key, text, layer));
    }
  }
}

}  // namespace hf2mlx
