// The tokens that end a text: which of them mlx_lm stops at, and which the model's own files name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "source/checkpoint.h"
#include "writer/special_tokens.h"

namespace hf2mlx {

struct EndTokens {
  struct Named {
    int64_t id;
    std::string by;  // "generation_config.json", "the chat template (<|im_end|>)", ...
  };
  std::vector<int64_t> read;    // what mlx_lm stops at: generation_config.json's, else config.json's; and the tokenizer's
  std::vector<int64_t> all;     // the union, in this order: config, its text_config, generation config, tokenizer, template
  std::vector<Named> left_out;  // of the union, what is not read
};

// The whole numbers of an `eos_token_id`: one, a list, or none.
std::vector<int64_t> token_ids(const Json& value);
// eos_token_id in `text_config` of a config.json, or null.
Json eos_of_text_config(const Json& config);
// `ids` as config files have them: one number, or a list.
Json json_of_ids(const std::vector<int64_t>& ids);

// What the model's files say. `config_eos` is that of config.json itself; `added` are the tokenizer's tokens.
struct EndTokenSources {
  Json config_eos;
  Json generation_config;
  Json tokenizer_config;
  std::vector<NamedToken> added;
  std::vector<std::string> templates;
  Json text_config_eos = {};  // of config.json's text_config, which mlx-swift-lm and LM Studio read where config.json itself has none
};
EndTokens find_end_tokens(const EndTokenSources& sources);
// The same from the source's files; those that cannot be read say nothing.
EndTokens find_end_tokens(const Checkpoint& checkpoint);

// The special tokens of a chat template that, by their names, end a turn. Empty for templates whose turns have several messages
// (<|channel|>), where such a token ends a message only.
std::vector<NamedToken> end_of_turn_tokens(const std::string& chat_template, const std::vector<NamedToken>& added);
// Words like <|im_end|> that by their names end a turn, registered or not.
std::vector<std::string> end_of_turn_words(const std::string& chat_template);

}  // namespace hf2mlx
