// A tokenizer.json for a model that has none, from whatever else says how its texts become tokens.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "source/checkpoint.h"
#include "tokenizer/tokenizer_json.h"

namespace hf2mlx {

inline constexpr const char* kTokenizerFile = "tokenizer.json";

struct BuiltTokenizer {
  std::unique_ptr<Tokenizer> tokenizer;  // null: the model has a tokenizer.json, or none can be made
  std::vector<std::string> notes;        // what it was made from, or why not
};

// Reads nothing when the model has a tokenizer.json. A tokenizer that cannot be read is a note, not an error: it is copied as it is.
// `config` is config.json. Docs: docs/tokenizers.md.
BuiltTokenizer build_tokenizer(std::span<const SideFile> side_files, const Json& config);

}  // namespace hf2mlx
