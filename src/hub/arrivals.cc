// See arrivals.h.
#include "hub/arrivals.h"

#include <algorithm>

namespace hf2mlx {

Arrivals::Arrivals(uint64_t size_bytes)
    : size_bytes_(size_bytes), counts_((size_bytes + kBlockBytes - 1) / kBlockBytes), claimed_(counts_.size()) {}

std::optional<Arrivals> Arrivals::from_counts(uint64_t size_bytes, std::span<const uint32_t> counts) {
  Arrivals arrivals(size_bytes);
  if (counts.size() != arrivals.counts_.size()) return std::nullopt;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > arrivals.block(i).size_bytes()) return std::nullopt;
    arrivals.counts_[i] = counts[i];
    arrivals.arrived_bytes_ += counts[i];
  }
  return arrivals;
}

ByteRange Arrivals::block(size_t i) const { return {i * kBlockBytes, std::min((i + 1) * kBlockBytes, size_bytes_)}; }

bool Arrivals::is_free(size_t i) const { return !claimed_[i] && counts_[i] < block(i).size_bytes(); }

uint64_t Arrivals::end_of_arrived(uint64_t offset) const {
  for (size_t i = offset / kBlockBytes; i < counts_.size(); ++i) {
    const uint64_t end = block(i).begin_bytes + counts_[i];
    if (end != block(i).end_bytes) return std::max(offset, end);
  }
  return size_bytes_;
}

ByteRange Arrivals::claim(uint64_t wanted_bytes) {
  size_t i = 0;
  while (i < counts_.size() && !is_free(i)) ++i;
  if (i == counts_.size()) return {};
  ByteRange range{block(i).begin_bytes + counts_[i], block(i).begin_bytes + counts_[i]};
  do {
    claimed_[i] = true;
    range.end_bytes = block(i).end_bytes;
    ++i;
  } while (range.size_bytes() < wanted_bytes && i < counts_.size() && is_free(i) && counts_[i] == 0);
  return range;
}

ByteRange Arrivals::add(uint64_t offset, uint64_t count) {
  const uint64_t end = offset + count;
  const size_t first = offset / kBlockBytes;
  size_t i = first;
  for (; i < counts_.size() && block(i).begin_bytes < end; ++i) {
    counts_[i] = static_cast<uint32_t>(std::min(end, block(i).end_bytes) - block(i).begin_bytes);
  }
  arrived_bytes_ += count;
  return {first, i};
}

bool Arrivals::has_claims() const {
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (claimed_[i] && counts_[i] < block(i).size_bytes()) return true;
  }
  return false;
}

void Arrivals::release(ByteRange range) {
  if (range.is_empty()) return;
  for (size_t i = range.begin_bytes / kBlockBytes; i < counts_.size() && block(i).begin_bytes < range.end_bytes; ++i) claimed_[i] = false;
}

}  // namespace hf2mlx
