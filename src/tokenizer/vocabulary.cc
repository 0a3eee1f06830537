// See vocabulary.h.
#include "tokenizer/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "hf2mlx/error.h"
#include "tokenizer/utf8.h"

namespace hf2mlx {
namespace {

std::vector<uint32_t> positions(size_t count) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

}  // namespace

size_t Vocabulary::slot_of(std::string_view text) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = std::hash<std::string_view>()(text) & mask;
  while (slots_[slot] != 0 && tokens_[slots_[slot] - 1].text != text) slot = (slot + 1) & mask;
  return slot;
}

void Vocabulary::rehash(size_t slots) {
  slots_.assign(slots, 0);
  for (uint32_t i = 0; i < tokens_.size(); ++i) slots_[slot_of(tokens_[i].text)] = i + 1;
}

void Vocabulary::reserve(size_t count) {
  tokens_.reserve(std::min(count, kMaxTokens));
  size_t slots = 16;
  while (slots <= 2 * std::min(count, kMaxTokens)) slots *= 2;
  if (slots > slots_.size()) rehash(slots);
}

void Vocabulary::add(std::string text, uint32_t id) {
  if (text.size() > kMaxTokenBytes) {
    throw Error(ErrorCode::kCorrupt, fmt::format("a token of {} bytes, expected at most {}", text.size(), kMaxTokenBytes));
  }
  if (tokens_.size() >= kMaxTokens) throw Error(ErrorCode::kCorrupt, fmt::format("more than {} tokens", kMaxTokens));
  if (slots_.size() <= 2 * tokens_.size()) rehash(std::max<size_t>(16, 2 * slots_.size()));
  uint32_t& slot = slots_[slot_of(text)];
  if (slot != 0) throw Error(ErrorCode::kCorrupt, fmt::format("the tokens {} and {} are the same", tokens_[slot - 1].id, id));
  tokens_.push_back({std::move(text), id});
  slot = static_cast<uint32_t>(tokens_.size());
}

std::optional<uint32_t> Vocabulary::find(std::string_view text) const {
  if (slots_.empty()) return std::nullopt;
  const uint32_t found = slots_[slot_of(text)];
  if (found == 0) return std::nullopt;
  return found - 1;
}

std::vector<Merge> merges_of_scores(const Vocabulary& vocabulary, std::span<const float> scores) {
  std::vector<uint32_t> order = positions(vocabulary.size());
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
  std::vector<Merge> merges;
  for (const uint32_t position : order) {
    const std::string_view text = vocabulary[position].text;
    for (size_t at = 1; at < text.size(); ++at) {
      if (!begins_character(text, at)) continue;
      const auto left = vocabulary.find(text.substr(0, at));
      const auto right = left ? vocabulary.find(text.substr(at)) : std::nullopt;
      if (right) merges.push_back({*left, *right});
    }
  }
  return merges;
}

std::vector<Merge> merges_of_ranks(const Vocabulary& vocabulary) {
  std::vector<uint32_t> order = positions(vocabulary.size());
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return vocabulary[a].id < vocabulary[b].id; });
  std::vector<Merge> merges;
  for (const uint32_t position : order) {
    const std::string_view bytes = vocabulary[position].text;
    const auto first = static_cast<std::ptrdiff_t>(merges.size());
    for (size_t at = 1; at < bytes.size(); ++at) {
      const auto left = vocabulary.find(bytes.substr(0, at));
      const auto right = left ? vocabulary.find(bytes.substr(at)) : std::nullopt;
      if (right) merges.push_back({*left, *right});
    }
    std::sort(merges.begin() + first, merges.end(), [&](const Merge& a, const Merge& b) {
      return std::pair(vocabulary[a.left].id, vocabulary[a.right].id) < std::pair(vocabulary[b.left].id, vocabulary[b.right].id);
    });
  }
  return merges;
}

}  // namespace hf2mlx
