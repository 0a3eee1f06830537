// See tied.h.
#include "tied.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace hf2mlx {
namespace {

// What families call the two.
constexpr std::string_view kWeight = "weight";
bool is_head(std::string_view name) { return name.ends_with("lm_head.weight"); }
bool is_embedding(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {"embed_tokens.weight", "wte.weight", "word_embeddings.weight",
                                                      "tok_embeddings.weight", "embed_in.weight"};
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view ending) { return name.ends_with(ending); });
}

template <class Predicate>
const StoredTensor* find(const Checkpoint& checkpoint, const Predicate& predicate) {
  const auto at =
      std::find_if(checkpoint.tensors.begin(), checkpoint.tensors.end(), [&](const StoredTensor& t) { return predicate(t.name); });
  return at == checkpoint.tensors.end() ? nullptr : &*at;
}

bool same_values(const StoredTensor& a, const StoredTensor& b) {
  constexpr uint64_t kBlockBytes = 512 << 10;
  if (a.dtype != b.dtype || a.shape != b.shape) return false;
  std::vector<std::byte> left(kBlockBytes), right(kBlockBytes);
  for (uint64_t at = 0; at < a.size_bytes; at += kBlockBytes) {
    const uint64_t n = std::min(kBlockBytes, a.size_bytes - at);
    a.file->read_at(a.offset_bytes + at, std::span(left).first(n));
    b.file->read_at(b.offset_bytes + at, std::span(right).first(n));
    if (std::memcmp(left.data(), right.data(), n) != 0) return false;
  }
  return true;
}

// Packed layers are the same where their scales and biases are, too.
bool same_layers(const Checkpoint& checkpoint, const StoredTensor& a, const StoredTensor& b) {
  const auto part = [&](const StoredTensor& weight, const char* name) {
    const std::string wanted = weight.name.substr(0, weight.name.size() - kWeight.size()) + name;
    return find(checkpoint, [&](const std::string& other) { return other == wanted; });
  };
  const auto same_parts = [&](const char* name) {
    const StoredTensor* left = part(a, name);
    const StoredTensor* right = part(b, name);
    return left && right ? same_values(*left, *right) : left == right;
  };
  return same_parts("scales") && same_parts("biases") && same_values(a, b);
}

}  // namespace

std::optional<std::string> note_on_dropped_head(const Checkpoint& checkpoint, const Plan& plan) {
  const StoredTensor* head = find(checkpoint, is_head);
  const StoredTensor* embedding = find(checkpoint, is_embedding);
  const bool is_planned = std::any_of(plan.outputs.begin(), plan.outputs.end(), [](const OutputTensor& t) { return is_head(t.name); });
  if (!head || !embedding || is_planned || same_layers(checkpoint, *head, *embedding)) return std::nullopt;
  return fmt::format(
      "{} is left out, as mlx_lm leaves it out where tie_word_embeddings is true, but it is not the same as {}: config.json may be wrong; "
      "with tie_word_embeddings false there, the head stays",
      head->name, embedding->name);
}

}  // namespace hf2mlx
