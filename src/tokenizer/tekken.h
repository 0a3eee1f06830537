// tekken.json, Mistral's tokenizers: byte-level BPE with its pattern and its special tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tiktoken.h"

namespace hf2mlx {

struct Tekken {
  std::string pattern;               // that cuts texts into words; UTF-8
  std::vector<std::string> special;  // by id, from 0 on
  ByteLevelBpe bpe;                  // the special tokens, then the others
};

// Error{kCorrupt}; kUnsupported for files of the first version, which do not name their special tokens. `where` begins the messages.
Tekken parse_tekken(std::string_view text, const std::string& where);

}  // namespace hf2mlx
