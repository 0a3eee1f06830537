// The tokens of a model and how they are found by their text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hf2mlx {

struct Token {
  std::string text;  // of some vocabularies any bytes, else UTF-8
  uint32_t id;
};

// Positions are the order in which tokens were added; they need not be the ids.
class Vocabulary {
 public:
  // Error{kCorrupt} for a text that is there already, one of more than kMaxTokenBytes, or too many tokens.
  void add(std::string text, uint32_t id);
  void reserve(size_t count);

  std::optional<uint32_t> find(std::string_view text) const;  // the position
  const Token& operator[](size_t position) const { return tokens_[position]; }
  std::span<const Token> tokens() const { return tokens_; }
  size_t size() const { return tokens_.size(); }

 private:
  size_t slot_of(std::string_view text) const;
  void rehash(size_t slots);

  std::vector<Token> tokens_;
  std::vector<uint32_t> slots_;  // open addressing: position + 1, or 0; always less than half full
};

inline constexpr size_t kMaxTokenBytes = 1024;
inline constexpr size_t kMaxTokens = 4'000'000;

// Two tokens that become one, as positions. The earlier of two merges is made first.
struct Merge {
  uint32_t left;
  uint32_t right;
};

// Every way to put a token together from two others, split between characters: tokens of higher score first, then by position; of one token
// the shortest left part first. `scores` by position.
std::vector<Merge> merges_of_scores(const Vocabulary& vocabulary, std::span<const float> scores);
// The same for tokens of bytes whose ids are their ranks, lowest first: of one token the split with the lowest ranks first.
std::vector<Merge> merges_of_ranks(const Vocabulary& vocabulary);

}  // namespace hf2mlx
