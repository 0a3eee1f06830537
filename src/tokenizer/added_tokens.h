// The added tokens of a tokenizer, and the numbers that the tokenizers library gives them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tokenizer/settings.h"
#include "tokenizer/vocabulary.h"

namespace hf2mlx {

// `vocabulary` must outlive it.
class AddedTokens {
 public:
  explicit AddedTokens(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  // A token of the vocabulary keeps its id; others follow the last. A token that is there already is replaced. An empty one is ignored.
  void add(const AddedToken& token);

  bool contains(std::string_view content) const { return ids_.count(std::string(content)) != 0; }
  // Of an added token or one of the vocabulary.
  std::optional<uint32_t> id_of(std::string_view content) const;
  const std::map<uint32_t, AddedToken>& by_id() const { return by_id_; }

 private:
  uint32_t next_id() const;

  const Vocabulary& vocabulary_;
  std::map<uint32_t, AddedToken> by_id_;
  std::unordered_map<std::string, uint32_t> ids_;
};

// Adds the tokens of the settings in the order of transformers 5: those with an id, the named ones, the extra ones. `defaults` are the
// named tokens of the class, which the settings override; `extra` counts where the settings have no extra tokens.
void add_tokens_of(const TokenizerSettings& settings, AddedTokens& tokens);

}  // namespace hf2mlx
