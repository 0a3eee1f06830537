// The tokens that a tokenizer has added to its vocabulary: those that end a text are among them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace hf2mlx {

struct NamedToken {
  int64_t id = 0;
  std::string content;
  bool special = false;
};

// What tokenizer.json says.
struct TokenizerFile {
  std::vector<NamedToken> added;
  int64_t largest_id = -1;  // of the vocabulary and of the added tokens
};

// How far a tokenizer.json is read: its vocabulary is a hundred times as long as the tokens in front of it.
enum class ReadTokenizer { kAddedTokens, kAll };

// No tree is built. With kAddedTokens what follows them is not looked at, and largest_id is theirs. Error{kCorrupt} where it is not JSON.
TokenizerFile read_tokenizer(const std::filesystem::path& path, ReadTokenizer how_far);

// `added_tokens_decoder` of tokenizer_config.json, where tokenizers without a tokenizer.json keep them.
std::vector<NamedToken> added_tokens_of(const Json& tokenizer_config);

// The text of "eos_token" and its like: a string, or an object with `content`. Nothing where it is missing.
std::optional<std::string> token_text(const Json& tokenizer_config, const char* key);

const NamedToken* find_token(const std::vector<NamedToken>& tokens, const std::string& content);

}  // namespace hf2mlx
