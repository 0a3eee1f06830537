// From a byte-level BPE to a tokenizer: vocab.json with merges.txt in the ways of transformers' classes, tiktoken files in the ways of the
// code that models ship.
#pragma once

#include <optional>
#include <string_view>

#include "tokenizer/settings.h"
#include "tokenizer/tekken.h"
#include "tokenizer/tiktoken.h"
#include "tokenizer/tokenizer_json.h"

namespace hf2mlx {

enum class ByteFamily {
  kGpt2,     // GPT2Tokenizer
  kCodeGen,  // CodeGenTokenizer: Phi 1 and 2
  kGptNeoX,  // GPTNeoXTokenizer
  kQwen2,    // Qwen2Tokenizer: Qwen 1.5 to 3
  kQwen35,   // Qwen3_5Tokenizer
};

// By the class or, where there is none or it does not say, by the model type. Nothing where neither is known.
std::optional<ByteFamily> byte_family(std::string_view class_name, std::string_view model_type);
std::string_view name_of(ByteFamily family);

// Fills `out`, which is new.
void build_from_vocab(ByteLevelBpe bpe, ByteFamily family, TokenizerSettings settings, Tokenizer& out);

enum class TiktokenFamily {
  kQwen,       // qwen.tiktoken
  kHunyuan,    // hy.tiktoken
  kPhi3Small,  // cl100k_base.tiktoken
  kKimi,       // tiktoken.model
  kPlain,      // tokenizer.model, of GLM-4 and Llama 3
};

std::optional<TiktokenFamily> tiktoken_family(std::string_view file_name);
std::string_view name_of(TiktokenFamily family);

void build_from_tiktoken(ByteLevelBpe bpe, TiktokenFamily family, const TokenizerSettings& settings, Tokenizer& out);
void build_from_tekken(Tekken tekken, const TokenizerSettings& settings, Tokenizer& out);

}  // namespace hf2mlx
