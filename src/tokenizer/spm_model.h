// SentencePiece's model files (tokenizer.model, spiece.model): a protocol buffer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.h"

namespace hf2mlx {

enum class SpmAlgorithm { kUnigram = 1, kBpe = 2 };
enum class SpmPiece { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

struct SpmModel {
  SpmAlgorithm algorithm = SpmAlgorithm::kUnigram;
  Vocabulary vocabulary;        // UTF-8; positions are ids
  std::vector<float> scores;    // by id, finite
  std::vector<SpmPiece> kinds;  // by id
  bool byte_fallback = false;
  uint32_t unk_id = 0;                          // less than the number of pieces
  std::string unk_piece, bos_piece, eos_piece;  // UTF-8; empty where the model has none
  std::string charsmap;                         // compiled normalization rules, or empty
  bool add_dummy_prefix = true;                 // a space before every text
  bool remove_extra_whitespaces = true;         // at both ends, and but one of several
};

// Error{kCorrupt} for what is no such model, Error{kUnsupported} for one that no tokenizer.json can express. `where` begins the message.
SpmModel parse_spm_model(std::string_view bytes, const std::string& where);

}  // namespace hf2mlx
