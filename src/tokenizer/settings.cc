// See settings.h.
#include "tokenizer/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "hf2mlx/error.h"
#include "tokenizer/vocabulary.h"

namespace hf2mlx {
namespace {

constexpr std::array<std::string_view, 7> kNamed = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                    "pad_token", "cls_token", "mask_token"};
constexpr uint32_t kMaxExtraIds = 10'000;

bool is_named(std::string_view key) { return std::find(kNamed.begin(), kNamed.end(), key) != kNamed.end(); }

std::optional<bool> flag(const Json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end() || !at->is_boolean()) return std::nullopt;
  return at->get<bool>();
}

std::string text(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

AddedToken read_token(const Json& value, std::string_view what) {
  if (value.is_string()) return special_token(value.get<std::string>());
  if (!value.is_object() || text(value, "content").empty()) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{} is neither a text nor an object with content", what));
  }
  AddedToken token{text(value, "content")};
  token.single_word = flag(value, "single_word").value_or(false);
  token.lstrip = flag(value, "lstrip").value_or(false);
  token.rstrip = flag(value, "rstrip").value_or(false);
  token.normalized = flag(value, "normalized");
  token.special = flag(value, "special").value_or(false);
  return token;
}

std::vector<AddedToken> read_tokens(const Json& list, const char* what) {
  std::vector<AddedToken> tokens;
  for (const Json& item : list) tokens.push_back(read_token(item, what));
  return tokens;
}

std::string class_name(const Json& config) {
  std::string name = text(config, "tokenizer_class");
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

bool is_filled_list(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_array() && !at->empty();
}

void read_extra_tokens(const Json& object, TokenizerSettings& settings) {
  // An empty list is as good as none: what a vocabulary itself declares counts then.
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
    if (is_filled_list(object, key)) settings.extra = read_tokens(object.at(key), key);
  }
  const auto named = object.find("extra_special_tokens");
  if (named == object.end() || !named->is_object()) return;
  for (const auto& [name, value] : named->items()) settings.own[name] = read_token(value, name);
}

void read_named_tokens(const Json& object, TokenizerSettings& settings) {
  for (const auto& [key, value] : object.items()) {
    if (is_named(key)) {
      settings.named[key] = value.is_null() ? std::nullopt : std::optional(read_token(value, key));
    } else if (key.ends_with("_token") && (value.is_string() || value.is_object())) {
      settings.own[key] = read_token(value, key);
    }
  }
}

uint32_t read_id(const std::string& key) {
  uint32_t id = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
  if (error != std::errc() || end != key.data() + key.size()) throw Error(ErrorCode::kCorrupt, "an added token whose id is no number");
  return id;
}

void read_flags(const Json& config, TokenizerSettings& settings) {
  settings.has_code = config.contains("auto_map");
  settings.add_bos = flag(config, "add_bos_token");
  settings.add_eos = flag(config, "add_eos_token");
  settings.add_prefix_space = flag(config, "add_prefix_space");
  settings.legacy = flag(config, "legacy");
  const auto extra_ids = config.find("extra_ids");
  if (extra_ids != config.end() && extra_ids->is_number_unsigned()) {
    settings.extra_ids = static_cast<uint32_t>(std::min<uint64_t>(extra_ids->get<uint64_t>(), kMaxExtraIds));
  }
}

// The form of older models, which counts where tokenizer_config.json has no added_tokens_decoder; for additional tokens, where that names
// none itself.
void read_special_tokens_map(const Json& map, const Json& config, TokenizerSettings& settings) {
  Json special = map;
  for (Json& value : special) {
    if (value.is_object() && value.contains("content")) value["special"] = true;
  }
  read_named_tokens(special, settings);
  if (!config.is_object() || !config.contains("additional_special_tokens")) read_extra_tokens(special, settings);
}

void read_added_tokens(const Json& added, TokenizerSettings& settings) {
  std::vector<std::string> special;
  for (const auto& [name, token] : settings.named) {
    if (token) special.push_back(token->content);
  }
  for (const AddedToken& token : settings.extra.value_or(std::vector<AddedToken>())) special.push_back(token.content);
  for (const auto& [content, id] : added.items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > kMaxTokens)
      throw Error(ErrorCode::kCorrupt, "added_tokens.json: an id that is none");
    const bool is_special = std::find(special.begin(), special.end(), content) != special.end();
    settings.by_id[id.get<uint32_t>()] = {content, false, false, false, !is_special, is_special};
  }
}

}  // namespace

TokenizerSettings read_settings(const Json& config, const Json& special_tokens_map, const Json& added_tokens) {
  TokenizerSettings settings;
  if (config.is_object()) {
    settings.class_name = class_name(config);
    read_flags(config, settings);
    read_named_tokens(config, settings);
    read_extra_tokens(config, settings);
  }
  const Json* by_id = nullptr;
  if (config.is_object() && config.contains("added_tokens_decoder")) by_id = &config.at("added_tokens_decoder");
  if (by_id != nullptr && by_id->is_object()) {
    for (const auto& [key, value] : by_id->items()) settings.by_id[read_id(key)] = read_token(value, "an added token");
    return settings;
  }
  if (special_tokens_map.is_object()) read_special_tokens_map(special_tokens_map, config, settings);
  if (added_tokens.is_object()) read_added_tokens(added_tokens, settings);
  return settings;
}

}  // namespace hf2mlx
