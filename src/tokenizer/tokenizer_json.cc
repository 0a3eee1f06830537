// See tokenizer_json.h. Vocabulary and merges are laid out by hand: as a Json value they would take many times their text.
#include "tokenizer/tokenizer_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace hf2mlx {
namespace {

// Quoted, with only what JSON asks for escaped. The text is valid UTF-8.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string quoted_text(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

std::string quoted_or_null(const std::optional<std::string>& text) { return text ? quoted_text(*text) : "null"; }

// Entries of a list or an object, one to a line, in large pieces.
class Lines {
 public:
  Lines(const TextSink& out, char open, char close) : out_(out), text_(1, open), close_(close) {}

  std::string& next() {
    if (text_.size() > kPiece) {
      out_(text_);
      text_.clear();
    }
    text_ += first_ ? "\n      " : ",\n      ";
    first_ = false;
    return text_;
  }

  void finish() {
    if (!first_) text_ += "\n    ";
    text_ += close_;
    out_(text_);
  }

 private:
  static constexpr size_t kPiece = 1 << 16;

  const TextSink& out_;
  std::string text_;
  char close_;
  bool first_ = true;
};

// A part, two spaces deep.
void write_part(const char* name, const OrderedJson& part, const TextSink& out) {
  std::string text = fmt::format("  \"{}\": ", name);
  for (const char c : part.dump(2, ' ', false, OrderedJson::error_handler_t::replace)) {
    text += c;
    if (c == '\n') text += "  ";
  }
  out(text + ",\n");
}

OrderedJson added_tokens_json(const AddedTokens& added) {
  OrderedJson list = OrderedJson::array();
  for (const auto& [id, token] : added.by_id()) {
    list.push_back({{"id", id},
                    {"content", token.content},
                    {"single_word", token.single_word},
                    {"lstrip", token.lstrip},
                    {"rstrip", token.rstrip},
                    {"normalized", token.normalized.value_or(!token.special)},
                    {"special", token.special}});
  }
  return list;
}

std::vector<uint32_t> positions_by_id(const Vocabulary& vocabulary) {
  std::vector<uint32_t> order(vocabulary.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto by_id = [&](uint32_t a, uint32_t b) { return vocabulary[a].id < vocabulary[b].id; };
  if (!std::is_sorted(order.begin(), order.end(), by_id)) std::sort(order.begin(), order.end(), by_id);
  return order;
}

void write_bpe(const Vocabulary& vocabulary, const BpeModel& model, const TextSink& out) {
  out(fmt::format("    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": {},\n", quoted_or_null(model.unk_token)));
  for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    out(fmt::format("    \"{}\": {},\n", name, quoted_or_null(model.affixes)));
  }
  out(fmt::format("    \"fuse_unk\": {},\n    \"byte_fallback\": {},\n    \"ignore_merges\": {},\n    \"vocab\": ", model.fuse_unk,
                  model.byte_fallback, model.ignore_merges));
  Lines entries(out, '{', '}');
  for (const uint32_t position : positions_by_id(vocabulary)) {
    std::string& text = entries.next();
    append_quoted(text, vocabulary[position].text);
    text += ": " + std::to_string(vocabulary[position].id);
  }
  entries.finish();
  out(",\n    \"merges\": ");
  Lines merges(out, '[', ']');
  for (const Merge& merge : model.merges) {
    std::string& text = merges.next();
    text += '[';
    append_quoted(text, vocabulary[merge.left].text);
    text += ", ";
    append_quoted(text, vocabulary[merge.right].text);
    text += ']';
  }
  merges.finish();
  out("\n");
}

// The shortest digits that read back as the same number, with a point.
std::string number(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

void write_unigram(const Vocabulary& vocabulary, const UnigramModel& model, const TextSink& out) {
  out(fmt::format("    \"type\": \"Unigram\",\n    \"unk_id\": {},\n    \"vocab\": ", model.unk_id));
  Lines entries(out, '[', ']');
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    std::string& text = entries.next();
    text += '[';
    append_quoted(text, vocabulary[i].text);
    text += ", " + number(model.scores[i]) + ']';
  }
  entries.finish();
  out(fmt::format(",\n    \"byte_fallback\": {}\n", model.byte_fallback));
}

}  // namespace

void write_tokenizer_json(const Tokenizer& tokenizer, const TextSink& out) {
  out("{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n");
  write_part("added_tokens", added_tokens_json(tokenizer.added), out);
  write_part("normalizer", tokenizer.parts.normalizer, out);
  write_part("pre_tokenizer", tokenizer.parts.pre_tokenizer, out);
  write_part("post_processor", tokenizer.parts.post_processor, out);
  write_part("decoder", tokenizer.parts.decoder, out);
  out("  \"model\": {\n");
  if (tokenizer.bpe) write_bpe(tokenizer.vocabulary, *tokenizer.bpe, out);
  if (tokenizer.unigram) write_unigram(tokenizer.vocabulary, *tokenizer.unigram, out);
  out("  }\n}\n");
}

}  // namespace hf2mlx
