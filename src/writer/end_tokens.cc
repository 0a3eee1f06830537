// See end_tokens.h.
#include "writer/end_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "hf2mlx/error.h"
#include "writer/chat_template.h"

namespace hf2mlx {
namespace {

constexpr std::string_view kSeveralMessagesATurn = "<|channel|>";

template <class T, class V>
bool has(const T& items, const V& value) {
  return std::find(items.begin(), items.end(), value) != items.end();
}

// "<|im_end|>" is "imend"; the bars and underscores of DeepSeek's tokens are not ASCII and go, too.
std::string letters_of(std::string_view token) {
  std::string out;
  for (const unsigned char c : token) {
    if (std::isalnum(c)) out += static_cast<char>(std::tolower(c));
  }
  return out;
}

// The names that published models give to the end of a turn.
bool names_the_end(std::string_view token) {
  constexpr std::array<std::string_view, 17> kNames = {
      "imend",     "eot",           "eotid",        "eom",        "eomid",        "end", "endofturn", "turnend",       "endofturntoken",
      "endoftext", "endofsentence", "endofmessage", "messageend", "assistantend", "eos", "eod",       "endoftokentext"};
  // DeepSeek writes end▁of▁sentence, Gemma 4 <turn|>, Llama 2 </s>.
  return has(kNames, letters_of(token)) || token == "<turn|>" || token == "</s>";
}

void add_new(std::vector<int64_t>& ids, const std::vector<int64_t>& more) {
  for (const int64_t id : more) {
    if (!has(ids, id)) ids.push_back(id);
  }
}

// Null where the file is missing or no JSON.
Json read_side_json(const Checkpoint& checkpoint, const char* name) {
  for (const SideFile& file : checkpoint.side_files) {
    if (file.relative_path != name) continue;
    try {
      return read_json_file(file.source);
    } catch (const Error&) {
      return nullptr;
    }
  }
  return nullptr;
}

std::vector<NamedToken> added_tokens(const Checkpoint& checkpoint, const Json& tokenizer_config) {
  for (const SideFile& file : checkpoint.side_files) {
    if (file.relative_path != "tokenizer.json") continue;
    try {
      return read_tokenizer(file.source, ReadTokenizer::kAddedTokens).added;
    } catch (const Error&) {
      break;
    }
  }
  return added_tokens_of(tokenizer_config);
}

class Collector {
 public:
  void add(const std::vector<int64_t>& ids, const std::string& by) {
    for (const int64_t id : ids) {
      if (has(tokens_.all, id)) continue;
      tokens_.all.push_back(id);
      by_.push_back({id, by});
    }
  }

  EndTokens finish(std::vector<int64_t> read) {
    tokens_.read = std::move(read);
    for (const EndTokens::Named& named : by_) {
      if (!has(tokens_.read, named.id)) tokens_.left_out.push_back(named);
    }
    return std::move(tokens_);
  }

 private:
  EndTokens tokens_;
  std::vector<EndTokens::Named> by_;
};

}  // namespace

Json eos_of_text_config(const Json& config) {
  const Json text = config.is_object() ? config.value("text_config", Json()) : Json();
  return text.is_object() ? text.value("eos_token_id", Json()) : Json();
}

std::vector<int64_t> token_ids(const Json& value) {
  std::vector<int64_t> ids;
  if (value.is_number_integer()) return {value.get<int64_t>()};
  if (!value.is_array()) return ids;
  for (const Json& item : value) {
    if (item.is_number_integer()) add_new(ids, {item.get<int64_t>()});
  }
  return ids;
}

Json json_of_ids(const std::vector<int64_t>& ids) { return ids.size() == 1 ? Json(ids[0]) : Json(ids); }

std::vector<std::string> end_of_turn_words(const std::string& chat_template) {
  std::vector<std::string> words;
  if (chat_template.find(kSeveralMessagesATurn) != std::string::npos) return words;
  for (size_t begin = chat_template.find('<'); begin != std::string::npos; begin = chat_template.find('<', begin + 1)) {
    const size_t end = chat_template.find_first_of("> \n'\"<", begin + 1);
    if (end == std::string::npos || chat_template[end] != '>') continue;
    std::string word = chat_template.substr(begin, end + 1 - begin);
    if (word.starts_with("<|") && names_the_end(word) && !has(words, word)) words.push_back(std::move(word));
  }
  return words;
}

std::vector<NamedToken> end_of_turn_tokens(const std::string& chat_template, const std::vector<NamedToken>& added) {
  std::vector<NamedToken> out;
  if (chat_template.find(kSeveralMessagesATurn) != std::string::npos) return out;
  for (const NamedToken& token : added) {
    if (token.special && names_the_end(token.content) && chat_template.find(token.content) != std::string::npos) out.push_back(token);
  }
  return out;
}

EndTokens find_end_tokens(const EndTokenSources& sources) {
  const std::vector<int64_t> config = token_ids(sources.config_eos);
  const Json& generation_config = sources.generation_config;
  const std::vector<int64_t> generation =
      token_ids(generation_config.is_object() ? generation_config.value("eos_token_id", Json()) : Json());
  Collector found;
  found.add(config, "config.json");
  found.add(token_ids(sources.text_config_eos), "text_config of config.json");
  found.add(generation, "generation_config.json");
  // As mlx_lm reads it: `if eos := generation_config["eos_token_id"]`, so that 0 alone does not count.
  const bool generation_counts = !generation.empty() && (generation_config["eos_token_id"].is_array() || generation[0] != 0);
  std::vector<int64_t> read = generation_counts ? generation : config;
  if (const auto eos = token_text(sources.tokenizer_config, "eos_token")) {
    if (const NamedToken* token = find_token(sources.added, *eos)) {
      found.add({token->id}, fmt::format("the tokenizer ({})", *eos));
      add_new(read, {token->id});
    }
  }
  for (const std::string& text : sources.templates) {
    for (const NamedToken& token : end_of_turn_tokens(text, sources.added)) {
      found.add({token.id}, fmt::format("the chat template ({})", token.content));
    }
  }
  return found.finish(std::move(read));
}

EndTokens find_end_tokens(const Checkpoint& checkpoint) {
  const Json tokenizer_config = read_side_json(checkpoint, "tokenizer_config.json");
  std::vector<std::string> templates;
  for (const auto& [name, text] : chat_template_texts(checkpoint.side_files).by_name) templates.push_back(text);
  return find_end_tokens({checkpoint.config_eos, checkpoint.generation_config, tokenizer_config, added_tokens(checkpoint, tokenizer_config),
                          templates, eos_of_text_config(checkpoint.config)});
}

}  // namespace hf2mlx
