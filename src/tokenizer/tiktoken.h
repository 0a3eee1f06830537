// Vocabularies of byte-level BPE: tiktoken's files, and vocab.json with merges.txt.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.h"

namespace hf2mlx {

struct ByteLevelBpe {
  Vocabulary vocabulary;  // in the text form of byte_level.h
  std::vector<Merge> merges;
};

// Lines of a token in base64 and its rank. Whether the first line of a file is such a line:
bool is_tiktoken(std::string_view bytes);
// All of them. Error{kCorrupt}; `where` begins the messages.
ByteLevelBpe parse_tiktoken(std::string_view bytes, const std::string& where);

// {"token": id, ...} and lines of two tokens. Error{kCorrupt}, also for a merge of tokens that are not in the vocabulary.
ByteLevelBpe parse_vocab_and_merges(std::string_view vocab, std::string_view merges, const std::string& where);

}  // namespace hf2mlx
