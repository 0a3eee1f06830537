// The parts of a tokenizer.json around its model, in the form of the tokenizers library.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/added_tokens.h"

namespace hf2mlx {

using OrderedJson = nlohmann::ordered_json;

struct Parts {
  OrderedJson normalizer;  // these four may be null
  OrderedJson pre_tokenizer;
  OrderedJson post_processor;
  OrderedJson decoder;
};

inline constexpr std::string_view kMetaspace = "\xE2\x96\x81";  // U+2581, how SentencePiece writes a space

OrderedJson sequence(const char* list, std::vector<OrderedJson> items);  // `list`: "normalizers", "pretokenizers", "decoders" ...
OrderedJson replace(std::string_view text, std::string_view by);
OrderedJson replace_matches(std::string_view regex, std::string_view by);
OrderedJson prepend(std::string_view text);
OrderedJson precompiled(std::string_view charsmap);
OrderedJson metaspace(const char* prepend_scheme, bool split);
OrderedJson byte_level(bool add_prefix_space, bool trim_offsets, bool use_regex);
// Pieces that match, and what is between them.
OrderedJson split_matches(std::string_view regex);
OrderedJson part(const char* type);  // one without settings

// Spaces for U+2581, bytes for <0x..>, then one text; `strip` says that the space before the text is taken off again.
enum class Strip { kNo, kFirstSpace };
OrderedJson spm_decoder(Strip strip);

// Puts `before` before every text and `after` behind. Tokens that have no id are left out. `second`: the type of a pair's second text.
struct Template {
  std::vector<std::string> before, after;
  int second_type = 1;
};
OrderedJson template_processor(const Template& around, const AddedTokens& tokens);

}  // namespace hf2mlx
