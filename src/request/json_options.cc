// See json_options.h.
#include "request/json_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "hf2mlx/error.h"
#include "request/options.h"
#include "request/suggest.h"
#include "request/text.h"

namespace hf2mlx {
namespace {

constexpr std::string_view kDashes = "--";

// An option under one of its names.
struct Key {
  std::string name;  // without dashes
  OptionView option;
  std::string word;  // with dashes; empty: the value stands alone
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// How results are shown is no option of what is to be done.
bool is_for_people(const std::string& word) { return word == "--help" || word == "--json" || word == "--quiet"; }

std::vector<Key> keys_of(const CLI::App& app) {
  std::vector<Key> keys;
  for (const OptionView& option : options_of(app)) {
    std::string first_word;
    for (const std::string& word : option.names) {
      if (!word.starts_with(kDashes) || is_for_people(word)) continue;
      if (first_word.empty()) first_word = word;
      keys.push_back({word.substr(kDashes.size()), option, word});
    }
    const std::string own = lower(option.positional);
    const bool is_new = std::none_of(keys.begin(), keys.end(), [&](const Key& key) { return key.name == own; });
    if (!own.empty() && is_new) keys.push_back({own, option, first_word});
  }
  return keys;
}

Key find_key(const std::vector<Key>& keys, const std::string& name) {
  const auto at = std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.name == name; });
  if (at != keys.end()) return *at;
  std::vector<std::string> known;
  for (const Key& key : keys) known.push_back(key.name);
  throw Error(ErrorCode::kUsage, fmt::format("unknown option \"{}\"", name),
              did_you_mean(name, known, known.empty() ? "there are no options" : "known are: " + join(known, ", ")));
}

[[noreturn]] void refuse(const Key& key, const Json& value, const std::string& expected) {
  constexpr auto kReplace = Json::error_handler_t::replace;
  throw Error(ErrorCode::kUsage, fmt::format("\"{}\": {} found, {} expected", key.name, value.dump(-1, ' ', false, kReplace), expected));
}

std::string text_of(const Key& key, const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return value.dump();
  refuse(key, value, key.option.choices.empty() ? "text or a number" : join(key.option.choices, ", "));
}

// In the form in which it is one value whatever it begins with, and however the words are cut.
void add(const Key& key, const std::string& value, std::vector<std::string>& words) {
  if (key.word.empty()) {
    words.push_back(value);
  } else if (value.empty()) {
    words.insert(words.end(), {key.word, value});
  } else {
    words.push_back(key.word + "=" + value);
  }
}

void add_list(const Key& key, const Json& list, std::vector<std::string>& words) {
  std::vector<std::string> values;
  for (const Json& value : list) values.push_back(text_of(key, value));
  if (key.option.repeatable) {
    for (const std::string& value : values) add(key, value, words);
  } else if (!values.empty()) {
    add(key, join(values, ","), words);
  }
}

void add_value(const Key& key, const Json& value, std::vector<std::string>& words) {
  const bool is_flag = key.option.value.empty();
  if (value.is_null() || value == false) return;
  if (value == true) {
    if (!is_flag && !key.option.value_is_optional) refuse(key, value, key.option.value);
    words.push_back(key.word);
  } else if (is_flag) {
    refuse(key, value, "true or false");
  } else if (value.is_array() && (key.option.repeatable || key.option.value == "LIST")) {
    add_list(key, value, words);
  } else {
    add(key, text_of(key, value), words);
  }
}

}  // namespace

std::vector<std::string> words_of(const Json& options, const CLI::App& app) {
  if (!options.is_object()) throw Error(ErrorCode::kUsage, fmt::format("options: {} found, an object expected", options.type_name()));
  const std::vector<Key> keys = keys_of(app);
  std::vector<std::string> words;
  // Values that stand alone are told apart by their order, which is that of their declarations.
  for (const Key& key : keys) {
    if (key.word.empty() && options.contains(key.name)) add_value(key, options[key.name], words);
  }
  for (const auto& [name, value] : options.items()) {
    if (const Key key = find_key(keys, name); !key.word.empty()) add_value(key, value, words);
  }
  return words;
}

}  // namespace hf2mlx
