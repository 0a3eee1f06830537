// See tekken.h. Sizes and order are those of mistral-common: special tokens are the first ids, and a vocabulary may be longer than is used.
#include "tokenizer/tekken.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "base/json_events.h"
#include "hf2mlx/error.h"
#include "tokenizer/byte_level.h"

namespace hf2mlx {
namespace {

constexpr uint64_t kMaxSpecial = 100'000;

// Of files that do not name them, those up to version 7: DEPRECATED_SPECIAL_TOKENS in mistral-common 1.13.
constexpr std::array<const char*, 20> kSpecialOfOldFiles = {"<unk>",
                                                            "<s>",
                                                            "</s>",
                                                            "[INST]",
                                                            "[/INST]",
                                                            "[AVAILABLE_TOOLS]",
                                                            "[/AVAILABLE_TOOLS]",
                                                            "[TOOL_RESULTS]",
                                                            "[/TOOL_RESULTS]",
                                                            "[TOOL_CALLS]",
                                                            "[IMG]",
                                                            "<pad>",
                                                            "[IMG_BREAK]",
                                                            "[IMG_END]",
                                                            "[PREFIX]",
                                                            "[MIDDLE]",
                                                            "[SUFFIX]",
                                                            "[SYSTEM_PROMPT]",
                                                            "[/SYSTEM_PROMPT]",
                                                            "[TOOL_CONTENT]"};

struct Special {
  uint64_t rank = 0;
  std::string text;
};

// What the file says, as a stream: a tree of it would take many times its text.
class TekkenEvents final : public JsonEvents {
 public:
  explicit TekkenEvents(const std::string& where) : JsonEvents(where) {}

  bool start_object(std::size_t) override {
    if (++depth_ == 3 && section_ == "special_tokens") special.emplace_back();
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    ++depth_;
    if (depth_ == 2 && section_ == "special_tokens") names_special_tokens = true;
    return true;
  }
  bool end_array() override { return end_object(); }
  bool key(string_t& text) override {
    if (depth_ == 1) section_ = text;
    key_ = std::move(text);
    return true;
  }
  bool string(string_t& text) override {
    if (depth_ == 2 && section_ == "config" && key_ == "pattern") pattern = std::move(text);
    if (depth_ != 3) return true;
    if (section_ == "vocab" && key_ == "token_bytes") add_token(text);
    if (section_ == "special_tokens" && key_ == "token_str" && !special.empty()) special.back().text = std::move(text);
    return true;
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (depth_ == 2 && section_ == "config" && key_ == "default_vocab_size") vocab_size = number;
    if (depth_ == 2 && section_ == "config" && key_ == "default_num_special_tokens") special_count = number;
    if (depth_ == 3 && section_ == "special_tokens" && key_ == "rank" && !special.empty()) special.back().rank = number;
    return true;
  }

  std::string pattern;
  std::optional<uint64_t> vocab_size, special_count;
  std::vector<std::string> tokens;  // bytes, by rank
  std::vector<Special> special;
  bool names_special_tokens = false;

 protected:
  bool other_value() override { return true; }

 private:
  void add_token(const std::string& text) {
    auto bytes = decode_base64(text);
    if (!bytes) throw Error(ErrorCode::kCorrupt, fmt::format("{}: token {} is not base64", where(), tokens.size()));
    tokens.push_back(std::move(*bytes));
  }

  std::string section_, key_;
  int depth_ = 0;
};

std::vector<std::string> named_special_tokens(TekkenEvents& file) {
  if (!file.names_special_tokens) return {kSpecialOfOldFiles.begin(), kSpecialOfOldFiles.end()};
  std::sort(file.special.begin(), file.special.end(), [](const Special& a, const Special& b) { return a.rank < b.rank; });
  std::vector<std::string> texts;
  for (Special& token : file.special) {
    if (token.rank != texts.size() || token.text.empty()) {
      throw Error(ErrorCode::kCorrupt, fmt::format("special token {} is missing or twice there", texts.size()));
    }
    texts.push_back(std::move(token.text));
  }
  return texts;
}

std::vector<std::string> special_tokens(TekkenEvents& file) {
  std::vector<std::string> texts = named_special_tokens(file);
  const uint64_t count = file.special_count.value_or(texts.size());
  if (count > kMaxSpecial || texts.size() > count) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{} special tokens, where {} are named", count, texts.size()));
  }
  while (texts.size() < count) texts.push_back(fmt::format("<SPECIAL_{}>", texts.size()));
  return texts;
}

// Also the tokens whose text is that of a special one: those are found by its position.
ByteLevelBpe join(const std::vector<std::string>& special, const Vocabulary& ranks) {
  ByteLevelBpe bpe{{}, merges_of_ranks(ranks)};
  bpe.vocabulary.reserve(special.size() + ranks.size());
  for (const std::string& text : special) bpe.vocabulary.add(text, static_cast<uint32_t>(bpe.vocabulary.size()));
  std::vector<uint32_t> positions;
  for (const Token& token : ranks.tokens()) {
    std::string text = byte_level_text(token.text);
    const auto known = bpe.vocabulary.find(text);
    positions.push_back(known ? *known : static_cast<uint32_t>(bpe.vocabulary.size()));
    if (!known) bpe.vocabulary.add(std::move(text), static_cast<uint32_t>(special.size()) + token.id);
  }
  for (Merge& merge : bpe.merges) merge = {positions[merge.left], positions[merge.right]};
  return bpe;
}

}  // namespace

Tekken parse_tekken(std::string_view text, const std::string& where) {
  try {
    TekkenEvents file("JSON");
    parse_json_events(text, file);
    Tekken tekken{std::move(file.pattern), special_tokens(file), {}};
    if (tekken.pattern.empty()) throw Error(ErrorCode::kCorrupt, "config has no pattern");
    size_t used = file.tokens.size();
    if (file.vocab_size) used = std::min<uint64_t>(used, *file.vocab_size - std::min<uint64_t>(*file.vocab_size, tekken.special.size()));
    Vocabulary ranks;
    ranks.reserve(used);
    for (size_t i = 0; i < used; ++i) ranks.add(std::move(file.tokens[i]), static_cast<uint32_t>(i));
    tekken.bpe = join(tekken.special, ranks);
    return tekken;
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", where, error.what()));
  }
}

}  // namespace hf2mlx
