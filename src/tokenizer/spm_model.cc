// See spm_model.h.
#include "tokenizer/spm_model.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "hf2mlx/error.h"
#include "sentencepiece.pb.h"
#include "tokenizer/utf8.h"

namespace hf2mlx {
namespace {

std::string checked_text(const std::string& text, const char* what) {
  if (!is_utf8(text)) throw Error(ErrorCode::kCorrupt, fmt::format("{} is not UTF-8", what));
  return text;
}

SpmPiece piece_kind(int32_t type) {
  const bool known = type >= static_cast<int32_t>(SpmPiece::kNormal) && type <= static_cast<int32_t>(SpmPiece::kByte);
  return known ? static_cast<SpmPiece>(type) : SpmPiece::kNormal;
}

void read_pieces(const spm::Model& proto, SpmModel& model) {
  const auto count = static_cast<size_t>(proto.pieces_size());
  model.vocabulary.reserve(count);
  model.scores.reserve(count);
  model.kinds.reserve(count);
  for (const spm::Piece& piece : proto.pieces()) {
    if (piece.text().empty()) throw Error(ErrorCode::kCorrupt, fmt::format("piece {} is empty", model.vocabulary.size()));
    model.vocabulary.add(checked_text(piece.text(), "a piece"), static_cast<uint32_t>(model.vocabulary.size()));
    if (!std::isfinite(piece.score())) throw Error(ErrorCode::kCorrupt, "a score that is not finite");
    model.scores.push_back(piece.score());
    model.kinds.push_back(piece_kind(piece.type()));
  }
}

void read_trainer(const spm::Trainer& trainer, SpmModel& model) {
  if (trainer.model_type() != 1 && trainer.model_type() != 2) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("a SentencePiece model of type {}, expected 1 (unigram) or 2 (BPE)", trainer.model_type()));
  }
  model.algorithm = static_cast<SpmAlgorithm>(trainer.model_type());
  if (trainer.whitespace_is_suffix()) throw Error(ErrorCode::kUnsupported, "spaces are written behind words, not before them");
  model.byte_fallback = trainer.byte_fallback();
  if (trainer.unk_id() < 0 || static_cast<size_t>(trainer.unk_id()) >= model.vocabulary.size()) {
    throw Error(ErrorCode::kCorrupt, fmt::format("the unknown token is {}, of {} pieces", trainer.unk_id(), model.vocabulary.size()));
  }
  model.unk_id = static_cast<uint32_t>(trainer.unk_id());
  model.unk_piece = checked_text(trainer.unk_piece(), "the unknown piece");
  if (trainer.bos_id() >= 0) model.bos_piece = checked_text(trainer.bos_piece(), "the piece that begins texts");
  if (trainer.eos_id() >= 0) model.eos_piece = checked_text(trainer.eos_piece(), "the piece that ends texts");
}

// A double-array trie after its length (little-endian), then the texts it leads to. Readers fail on a length that does not fit.
bool is_charsmap(std::string_view bytes) {
  if (bytes.size() < 4) return false;
  uint64_t trie_bytes = 0;
  for (size_t i = 4; i-- > 0;) trie_bytes = trie_bytes << 8 | static_cast<unsigned char>(bytes[i]);
  return trie_bytes % 4 == 0 && trie_bytes <= bytes.size() - 4 && is_utf8(bytes.substr(4 + trie_bytes));
}

void read_normalizer(const spm::Normalizer& normalizer, SpmModel& model) {
  model.charsmap = normalizer.charsmap();
  if (!model.charsmap.empty() && !is_charsmap(model.charsmap)) {
    throw Error(ErrorCode::kCorrupt, "the normalization rules do not fit their stated size");
  }
  model.add_dummy_prefix = normalizer.add_dummy_prefix();
  model.remove_extra_whitespaces = normalizer.remove_extra_whitespaces();
}

}  // namespace

SpmModel parse_spm_model(std::string_view bytes, const std::string& where) {
  spm::Model proto;
  const bool fits = bytes.size() <= static_cast<size_t>(std::numeric_limits<int>::max());
  if (!fits || !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || proto.pieces_size() == 0) {
    throw Error(ErrorCode::kCorrupt, where + ": neither a SentencePiece model nor a tiktoken file");
  }
  try {
    SpmModel model;
    read_pieces(proto, model);
    read_trainer(proto.trainer(), model);
    read_normalizer(proto.normalizer(), model);
    return model;
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", where, error.what()));
  }
}

}  // namespace hf2mlx
