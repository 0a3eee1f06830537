// A whole tokenizer, and how it is written.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/added_tokens.h"
#include "tokenizer/parts.h"
#include "tokenizer/vocabulary.h"

namespace hf2mlx {

struct BpeModel {
  std::optional<std::string> unk_token;
  std::optional<std::string> affixes;  // prefix of what continues a word and suffix of what ends one: nothing, or ""
  bool fuse_unk = false;
  bool byte_fallback = false;
  bool ignore_merges = false;  // a word that is a token is that token
  std::vector<Merge> merges;
};

struct UnigramModel {
  uint32_t unk_id = 0;
  bool byte_fallback = false;
  std::vector<float> scores;  // by position, which is the id
};

using TextSink = std::function<void(std::string_view)>;

// Stays where it is: the added tokens refer to the vocabulary.
struct Tokenizer {
  Tokenizer() = default;
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  Vocabulary vocabulary;  // UTF-8
  std::optional<BpeModel> bpe;
  std::optional<UnigramModel> unigram;  // one of the two
  AddedTokens added{vocabulary};
  Parts parts;
};

// As the tokenizers library writes it, but for white space.
void write_tokenizer_json(const Tokenizer& tokenizer, const TextSink& out);

}  // namespace hf2mlx
