// See tiktoken.h.
#include "tokenizer/tiktoken.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "base/json_events.h"
#include "hf2mlx/error.h"
#include "tokenizer/byte_level.h"

namespace hf2mlx {
namespace {

constexpr uint32_t kMaxId = 1u << 30;

// Takes a line off the beginning of `text`, without its end.
std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<Token> parse_tiktoken_line(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0 || space > 2 * kMaxTokenBytes) return std::nullopt;
  uint32_t rank = 0;
  const auto [end, error] = std::from_chars(line.data() + space + 1, line.data() + line.size(), rank);
  if (error != std::errc() || end != line.data() + line.size() || rank > kMaxId) return std::nullopt;
  auto bytes = decode_base64(line.substr(0, space));
  if (!bytes) return std::nullopt;
  return Token{std::move(*bytes), rank};
}

// Ids must be different: readers keep one of two tokens that share one.
void check_ids(const Vocabulary& vocabulary, const std::string& where) {
  std::vector<uint32_t> ids;
  for (const Token& token : vocabulary.tokens()) ids.push_back(token.id);
  std::sort(ids.begin(), ids.end());
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  if (twice != ids.end()) throw Error(ErrorCode::kCorrupt, fmt::format("{}: two tokens have the number {}", where, *twice));
}

// {"token": id}, as a stream: a tree of it would take many times its text.
class VocabEvents final : public JsonEvents {
 public:
  VocabEvents(const std::string& where, Vocabulary& vocabulary) : JsonEvents(where), vocabulary_(vocabulary) {}

  bool start_object(std::size_t) override { return ++depth_ == 1 || other_value(); }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override { return other_value(); }
  bool end_array() override { return true; }
  bool key(string_t& text) override {
    key_ = std::move(text);
    return true;
  }
  bool number_unsigned(number_unsigned_t id) override {
    if (depth_ != 1 || id > kMaxId) return other_value();
    vocabulary_.add(std::move(key_), static_cast<uint32_t>(id));
    return true;
  }

 protected:
  bool other_value() override { throw Error(ErrorCode::kCorrupt, where() + ": expected an object of tokens and their numbers"); }

 private:
  Vocabulary& vocabulary_;
  std::string key_;
  int depth_ = 0;
};

uint32_t find_token(const Vocabulary& vocabulary, std::string_view text, size_t line) {
  const auto found = vocabulary.find(text);
  if (!found) throw Error(ErrorCode::kCorrupt, fmt::format("merges.txt: line {} merges tokens that are not in the vocabulary", line));
  return *found;
}

std::vector<Merge> parse_merges(std::string_view text, const Vocabulary& vocabulary) {
  std::vector<Merge> merges;
  std::string merged;
  for (size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    if (line.empty() || line.starts_with("#version")) continue;
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || line.size() > 2 * kMaxTokenBytes) {
      throw Error(ErrorCode::kCorrupt, fmt::format("merges.txt: line {} is not two tokens", number));
    }
    const std::string_view left = line.substr(0, space);
    const std::string_view right = line.substr(space + 1);
    merges.push_back({find_token(vocabulary, left, number), find_token(vocabulary, right, number)});
    merged.assign(left).append(right);
    find_token(vocabulary, merged, number);
  }
  return merges;
}

}  // namespace

bool is_tiktoken(std::string_view bytes) { return parse_tiktoken_line(take_line(bytes)).has_value(); }

ByteLevelBpe parse_tiktoken(std::string_view bytes, const std::string& where) {
  try {
    Vocabulary ranks;
    ranks.reserve(static_cast<size_t>(std::count(bytes.begin(), bytes.end(), '\n')) + 1);
    for (size_t number = 1; !bytes.empty(); ++number) {
      const std::string_view line = take_line(bytes);
      if (line.empty()) continue;
      auto token = parse_tiktoken_line(line);
      if (!token) throw Error(ErrorCode::kCorrupt, fmt::format("line {} is not a token in base64 and its rank", number));
      ranks.add(std::move(token->text), token->id);
    }
    check_ids(ranks, "ranks");
    ByteLevelBpe bpe{{}, merges_of_ranks(ranks)};
    bpe.vocabulary.reserve(ranks.size());
    for (const Token& token : ranks.tokens()) bpe.vocabulary.add(byte_level_text(token.text), token.id);
    return bpe;
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", where, error.what()));
  }
}

ByteLevelBpe parse_vocab_and_merges(std::string_view vocab, std::string_view merges, const std::string& where) {
  try {
    ByteLevelBpe bpe;
    VocabEvents events("vocab.json", bpe.vocabulary);
    parse_json_events(vocab, events);
    check_ids(bpe.vocabulary, "vocab.json");
    bpe.merges = parse_merges(merges, bpe.vocabulary);
    return bpe;
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", where, error.what()));
  }
}

}  // namespace hf2mlx
