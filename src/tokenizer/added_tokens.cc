// See added_tokens.h.
#include "tokenizer/added_tokens.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace hf2mlx {
namespace {

// Every named token, in the order in which transformers keeps them.
std::vector<AddedToken> named_tokens(const TokenizerSettings& settings) {
  constexpr std::array<const char*, 7> kOrder = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                 "pad_token", "cls_token", "mask_token"};
  std::vector<AddedToken> tokens;
  for (const char* name : kOrder) {
    const auto at = settings.named.find(name);
    if (at != settings.named.end() && at->second) tokens.push_back(*at->second);
  }
  for (const auto& [name, token] : settings.own) tokens.push_back(token);
  return tokens;
}

}  // namespace

uint32_t AddedTokens::next_id() const {
  const auto size = static_cast<uint32_t>(vocabulary_.size());
  if (by_id_.empty()) return size;
  const uint32_t last = by_id_.rbegin()->first;
  return last >= size || size == 0 ? last + 1 : size;
}

void AddedTokens::add(const AddedToken& token) {
  if (token.content.empty()) return;
  const auto known = id_of(token.content);
  const uint32_t id = known ? *known : next_id();
  ids_[token.content] = id;
  by_id_[id] = token;
}

std::optional<uint32_t> AddedTokens::id_of(std::string_view content) const {
  const auto at = ids_.find(std::string(content));
  if (at != ids_.end()) return at->second;
  const auto position = vocabulary_.find(content);
  if (!position) return std::nullopt;
  return vocabulary_[*position].id;
}

void add_tokens_of(const TokenizerSettings& settings, AddedTokens& tokens) {
  std::vector<AddedToken> wanted;
  std::set<std::string> settled;  // by an entry with an id, or there before
  for (const auto& [id, token] : tokens.by_id()) settled.insert(token.content);
  for (const auto& [id, token] : settings.by_id) {
    settled.insert(token.content);
    wanted.push_back(token);
  }
  const std::vector<AddedToken> named = named_tokens(settings);
  std::vector<AddedToken> rest = named;
  for (const AddedToken& token : settings.extra.value_or(std::vector<AddedToken>())) rest.push_back(token);
  for (const AddedToken& token : rest) {
    if (settled.count(token.content) == 0) wanted.push_back(token);
  }
  std::set<std::string> special;
  for (const AddedToken& token : named) special.insert(token.content);
  for (AddedToken& token : wanted) {
    if (special.count(token.content) != 0) token.special = true;
    tokens.add(token);
  }
}

}  // namespace hf2mlx
