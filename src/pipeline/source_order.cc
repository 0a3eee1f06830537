// See source_order.h.
#include "pipeline/source_order.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "hf2mlx/error.h"
#include "io/read_trace.h"

namespace hf2mlx {
namespace {

constexpr uint64_t kScratchBytes = 4 << 20;
// Of the halving between two elements of different tensors: a block of up to 64 tiny experts is seen as a whole.
constexpr int kMostHalvings = 7;
constexpr size_t kMostElementBytes = 16;
constexpr int kFileShift = 48;  // files are smaller than 256 TB

}  // namespace

SourceOrder::SourceOrder(const std::vector<StoredTensor>& tensors, const std::vector<const Reader*>& files, uint64_t near_bytes)
    : near_bytes_(near_bytes), scratch_(std::make_unique<Scratch>(kScratchBytes)) {
  for (uint32_t i = 0; i < files.size(); ++i) files_[files[i]] = i;
  for (const StoredTensor& tensor : tensors) {
    const auto file = files_.find(tensor.file.get());
    if (file == files_.end() || tensor.size_bytes == 0) continue;
    tensors_.push_back({file->second, tensor.offset_bytes, tensor.offset_bytes + tensor.size_bytes});
  }
  std::sort(tensors_.begin(), tensors_.end(),
            [](const Tensor& a, const Tensor& b) { return std::tie(a.file, a.begin_bytes) < std::tie(b.file, b.begin_bytes); });
}

const SourceOrder::Tensor* SourceOrder::tensor_at(const Reader* reader, uint64_t offset) const {
  const auto file = files_.find(reader);
  if (file == files_.end()) return nullptr;
  auto next = std::upper_bound(tensors_.begin(), tensors_.end(), std::pair(file->second, offset),
                               [](const auto& place, const Tensor& t) { return place < std::pair(t.file, t.begin_bytes); });
  if (next == tensors_.begin()) return nullptr;
  const Tensor& tensor = *--next;
  return tensor.file == file->second && offset < tensor.end_bytes ? &tensor : nullptr;
}

SourceOrder::Sample SourceOrder::look_at(const Piece& block, uint64_t element) const {
  std::array<std::byte, kMostElementBytes> value;
  ReadTrace trace;
  try {
    block.value().read(element, 1, value.data(), *scratch_);
  } catch (const Error&) {
    // Zeros need not make sense to every operation; what it asked for until then is noted.
  }
  Sample sample;
  for (const ReadNote& note : trace.notes) {
    const Tensor* tensor = tensor_at(note.file, note.offset_bytes);
    if (tensor && note.size_bytes > 0) sample.push_back({tensor, note.offset_bytes, note.offset_bytes + note.size_bytes});
  }
  return sample;
}

const SourceOrder::Tensor* SourceOrder::main_of(const Sample& sample) {
  const auto largest = std::max_element(sample.begin(), sample.end(),
                                        [](const Part& a, const Part& b) { return a.tensor->size_bytes() < b.tensor->size_bytes(); });
  return largest == sample.end() ? nullptr : largest->tensor;
}

void SourceOrder::look_between(const Piece& block, uint64_t begin, const Sample& first, uint64_t end, const Sample& last, int depth,
                               std::vector<Sample>& samples) const {
  if (end - begin < 2 || depth == 0 || main_of(first) == main_of(last)) return;
  const uint64_t middle = begin + (end - begin) / 2;
  const Sample sample = look_at(block, middle);
  look_between(block, begin, first, middle, sample, depth - 1, samples);
  samples.push_back(sample);
  look_between(block, middle, sample, end, last, depth - 1, samples);
}

// One part for each tensor. Where a tensor's first or last element in the block was not seen, it is taken to reach further.
std::vector<SourceOrder::Part> SourceOrder::join(const Piece& block, const std::vector<Sample>& samples) {
  const auto has = [](const Sample& sample, const Tensor* tensor) {
    return std::any_of(sample.begin(), sample.end(), [&](const Part& part) { return part.tensor == tensor; });
  };
  std::vector<Part> parts;
  for (const Sample& sample : samples) {
    for (const Part& part : sample) {
      const auto known = std::find_if(parts.begin(), parts.end(), [&](const Part& p) { return p.tensor == part.tensor; });
      if (known == parts.end()) {
        parts.push_back(part);
        continue;
      }
      known->begin_bytes = std::min(known->begin_bytes, part.begin_bytes);
      known->end_bytes = std::max(known->end_bytes, part.end_bytes);
    }
  }
  const uint64_t reach = 2 * block.size_bytes();
  for (Part& part : parts) {
    const uint64_t before = part.begin_bytes - part.tensor->begin_bytes;
    if (!has(samples.front(), part.tensor)) part.begin_bytes -= std::min(before, reach);
    if (!has(samples.back(), part.tensor)) part.end_bytes = std::min(part.tensor->end_bytes, part.end_bytes + reach);
  }
  return parts;
}

BlockSource SourceOrder::find(const Piece& block) const {
  const uint64_t last = block.begin + block.count - 1;
  std::vector<Sample> samples{look_at(block, block.begin)};
  const Sample end = look_at(block, last);
  look_between(block, block.begin, Sample(samples.front()), last, end, kMostHalvings, samples);
  samples.push_back(end);
  const std::vector<Part> parts = join(block, samples);
  uint64_t largest = 0;
  for (const Part& part : parts) largest = std::max(largest, part.tensor->size_bytes());
  const auto is_main = [&](const Part& part) { return part.tensor->size_bytes() >= largest / 2; };
  const auto position_of = [](const Part& part) { return (uint64_t{part.tensor->file} << kFileShift) + part.begin_bytes; };
  BlockSource source;
  for (const Part& part : parts) {
    if (is_main(part)) source.position = std::max(source.position, position_of(part));
  }
  for (const Part& part : parts) {
    const uint64_t at = position_of(part);
    const bool is_near = at + near_bytes_ >= source.position && at <= source.position + near_bytes_;
    if (is_main(part) || is_near) source.spans.push_back({part.tensor->file, part.begin_bytes, part.end_bytes});
  }
  return source;
}

}  // namespace hf2mlx
