// See error_meter.h.
#include "verify/error_meter.h"

namespace hf2mlx {
namespace {

// The part of a stored tensor that holds `count` bytes from `offset` on.
void read_stored(const StoredTensor& tensor, uint64_t offset_bytes, std::span<std::byte> out) {
  tensor.file->read_at(tensor.offset_bytes + offset_bytes, out);
}

}  // namespace

void ErrorMeter::observe(const EncodedPiece& piece, Scratch& scratch) {
  const Encoding& e = *piece.step.encoding;
  const size_t first = piece.step.first_output;
  const StoredTensor* weight = pairs_.find(first);
  const StoredTensor* scales = pairs_.find(first + 1);
  const StoredTensor* biases = has_biases(e) ? pairs_.find(first + 2) : nullptr;
  if (!weight || !scales || (has_biases(e) && !biases)) return;
  const uint64_t scale_size = size_of(scales->dtype);
  const Scratch::Block packed(scratch, packed_words(e, piece.count) * 4);
  const Scratch::Block own_scales(scratch, groups(e, piece.count) * scale_size);
  const Scratch::Block own_biases(scratch, biases ? own_scales.span().size() : 0);
  read_stored(*weight, packed_words(e, piece.begin) * 4, packed.span());
  read_stored(*scales, groups(e, piece.begin) * scale_size, own_scales.span());
  if (biases) read_stored(*biases, groups(e, piece.begin) * scale_size, own_biases.span());
  meter_.add(piece, {packed.data(), own_scales.data(), own_biases.data()}, scratch);
}

}  // namespace hf2mlx
