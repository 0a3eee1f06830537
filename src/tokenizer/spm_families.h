// From a SentencePiece model to a tokenizer, in the ways of transformers' classes.
#pragma once

#include <string>
#include <string_view>

#include "tokenizer/settings.h"
#include "tokenizer/spm_model.h"
#include "tokenizer/tokenizer_json.h"

namespace hf2mlx {

enum class SpmFamily {
  kLlama,      // LlamaTokenizer
  kCodeLlama,  // CodeLlamaTokenizer
  kGemma,      // GemmaTokenizer
  kT5,         // T5Tokenizer
  kAsTrained,  // no class that transformers has: what SentencePiece itself does with the model
};

// By the class, or without one by the model type. A class made for the other algorithm does not count.
SpmFamily spm_family(std::string_view class_name, std::string_view model_type, SpmAlgorithm algorithm);

// "LlamaTokenizer", ...; "SentencePiece" for kAsTrained.
std::string_view name_of(SpmFamily family);

// Fills `out`, which is new.
void build_from_spm(SpmModel model, SpmFamily family, TokenizerSettings settings, Tokenizer& out);

}  // namespace hf2mlx
