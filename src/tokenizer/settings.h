// What tokenizer_config.json, special_tokens_map.json and added_tokens.json say, as transformers 5 reads them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace hf2mlx {

// A token that is found in a text before the model sees it.
struct AddedToken {
  std::string content;
  bool single_word = false;
  bool lstrip = false;
  bool rstrip = false;
  std::optional<bool> normalized = {};  // nothing: the opposite of special
  bool special = false;

  bool operator==(const AddedToken&) const = default;
};

// A special token that was given as plain text.
inline AddedToken special_token(std::string content) { return {std::move(content), false, false, false, {}, true}; }

struct TokenizerSettings {
  std::string class_name;  // without "Fast"; empty where there is none
  bool has_code = false;   // auto_map names code of the model's own
  // bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token; present but nothing: null.
  std::map<std::string, std::optional<AddedToken>> named;
  // Named tokens of the model's own: image_token, ...
  std::map<std::string, AddedToken> own;
  std::optional<std::vector<AddedToken>> extra;  // additional_special_tokens or extra_special_tokens
  std::map<uint32_t, AddedToken> by_id;          // added_tokens_decoder, or what added_tokens.json says
  std::optional<bool> add_bos;
  std::optional<bool> add_eos;
  std::optional<bool> add_prefix_space;
  std::optional<bool> legacy;
  uint32_t extra_ids = 100;  // of T5
};

// Each of the three may be null for a file that is not there. Error{kCorrupt} for tokens of another form.
TokenizerSettings read_settings(const Json& config, const Json& special_tokens_map, const Json& added_tokens);

}  // namespace hf2mlx
