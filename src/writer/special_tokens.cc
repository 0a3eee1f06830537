// See special_tokens.h.
#include "writer/special_tokens.h"

#include <algorithm>
#include <charconv>

#include "base/json_events.h"
#include "base/text_file.h"

namespace hf2mlx {
namespace {

constexpr uint64_t kMaxTokenizerBytes = 512ull << 20;

struct Enough {};

// Depths: 1 the file, 2 the list of added tokens or the model, 3 one added token or the vocabulary, 4 one entry of a vocabulary list.
class TokenizerEvents final : public JsonEvents {
 public:
  TokenizerEvents(const std::string& where, ReadTokenizer how_far) : JsonEvents(where), how_far_(how_far) {}

  TokenizerFile take() { return std::move(file_); }

  bool boolean(bool value) override {
    if (in_token() && field_ == "special") token_.special = value;
    return true;
  }
  bool number_integer(number_integer_t value) override { return number(value); }
  bool number_unsigned(number_unsigned_t value) override { return number(static_cast<int64_t>(value)); }
  bool string(string_t& value) override {
    if (in_token() && field_ == "content") token_.content = value;
    return true;
  }

  bool key(string_t& name) override {
    if (depth_ == 1) section_ = name;
    if (depth_ == 2) part_ = name;
    if (in_token()) field_ = name;
    return true;
  }

  bool start_object(std::size_t) override {
    ++depth_;
    if (in_token()) token_ = {};
    return true;
  }
  bool end_object() override {
    if (in_token()) {
      file_.added.push_back(token_);
      file_.largest_id = std::max(file_.largest_id, token_.id);
    }
    --depth_;
    return true;
  }

  bool start_array(std::size_t) override {
    // A vocabulary that is a list numbers its tokens by their order.
    if (depth_ == 3 && in_vocabulary()) file_.largest_id = std::max(file_.largest_id, listed_++);
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    if (depth_ == 1 && section_ == "added_tokens" && how_far_ == ReadTokenizer::kAddedTokens) throw Enough();
    return true;
  }

 private:
  bool other_value() override { return true; }
  bool in_token() const { return depth_ == 3 && section_ == "added_tokens"; }
  bool in_vocabulary() const { return section_ == "model" && part_ == "vocab"; }

  bool number(int64_t value) {
    if (in_token() && field_ == "id") token_.id = value;
    if (depth_ == 3 && in_vocabulary()) file_.largest_id = std::max(file_.largest_id, value);
    return true;
  }

  const ReadTokenizer how_far_;
  TokenizerFile file_;
  NamedToken token_;
  std::string section_;
  std::string part_;
  std::string field_;
  int depth_ = 0;
  int64_t listed_ = 0;
};

}  // namespace

TokenizerFile read_tokenizer(const std::filesystem::path& path, ReadTokenizer how_far) {
  TokenizerEvents events(path.string(), how_far);
  try {
    parse_json_events(read_text_file(path, kMaxTokenizerBytes), events);
  } catch (const Enough&) {
    // as asked
  }
  return events.take();
}

std::vector<NamedToken> added_tokens_of(const Json& tokenizer_config) {
  std::vector<NamedToken> tokens;
  if (!tokenizer_config.is_object()) return tokens;
  const Json decoder = tokenizer_config.value("added_tokens_decoder", Json());
  if (!decoder.is_object()) return tokens;
  for (const auto& [key, value] : decoder.items()) {
    NamedToken token;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token.id);
    const bool is_number = error == std::errc() && end == key.data() + key.size();
    if (!is_number || !value.is_object() || !value.contains("content") || !value["content"].is_string()) continue;
    token.content = value["content"].get<std::string>();
    token.special = value.contains("special") && value["special"].is_boolean() && value["special"].get<bool>();
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::optional<std::string> token_text(const Json& tokenizer_config, const char* key) {
  if (!tokenizer_config.is_object() || !tokenizer_config.contains(key)) return std::nullopt;
  const Json& value = tokenizer_config[key];
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string()) return value["content"].get<std::string>();
  return std::nullopt;
}

const NamedToken* find_token(const std::vector<NamedToken>& tokens, const std::string& content) {
  const auto at = std::find_if(tokens.begin(), tokens.end(), [&](const NamedToken& token) { return token.content == content; });
  return at == tokens.end() ? nullptr : &*at;
}

}  // namespace hf2mlx
