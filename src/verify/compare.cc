// See compare.h.
#include "verify/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "source/incomplete.h"

namespace hf2mlx {
namespace {

constexpr size_t kBlockBytes = 256 << 10;
constexpr size_t kShownTensors = 50;  // that differ; the others are counted

// Bytes as the number they are, little-endian: 0x3f80.
std::string hex(std::span<const std::byte> bytes) {
  std::string out = "0x";
  for (auto at = bytes.rbegin(); at != bytes.rend(); ++at) out += fmt::format("{:02x}", std::to_integer<unsigned>(*at));
  return out;
}

// Takes the ranges of one shard.
class Comparer final : public Writer {
 public:
  Comparer(TensorPairs& pairs, uint32_t shard) : pairs_(pairs) {
    const std::vector<OutputTensor>& outputs = pairs.plan().outputs;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].shard == shard && outputs[i].size_bytes() > 0) output_at_.emplace(outputs[i].offset_bytes, i);
    }
  }

  void write_at(uint64_t offset, std::span<const std::byte> data) override {
    const auto [begin, output] = *std::prev(output_at_.upper_bound(offset));
    pairs_.compare(output, offset - begin, data);
  }
  void sync() override {}

 private:
  TensorPairs& pairs_;
  std::map<uint64_t, size_t> output_at_;  // by offset
};

}  // namespace

TensorPairs::TensorPairs(const Plan& plan, const std::vector<StoredTensor>& stored)
    : plan_(plan), named_(plan.outputs.size()), comparable_(plan.outputs.size()), differences_(plan.outputs.size()) {
  std::map<std::string_view, const StoredTensor*> by_name;
  for (const StoredTensor& tensor : stored) by_name.emplace(tensor.name, &tensor);
  for (size_t i = 0; i < plan.outputs.size(); ++i) {
    const OutputTensor& output = plan.outputs[i];
    const auto at = by_name.find(output.name);
    if (at == by_name.end()) continue;
    named_[i] = at->second;
    comparable_[i] = at->second->dtype == output.dtype && at->second->shape == output.shape;
    by_name.erase(at);
  }
  for (const auto& [name, tensor] : by_name) unexpected_.emplace_back(name);
}

std::vector<std::unique_ptr<Writer>> TensorPairs::writers() {
  std::vector<std::unique_ptr<Writer>> out;
  for (uint32_t shard = 0; shard < plan_.shards.size(); ++shard) out.push_back(std::make_unique<Comparer>(*this, shard));
  return out;
}

void TensorPairs::compare(size_t output, uint64_t offset_bytes, std::span<const std::byte> wanted) {
  const StoredTensor* stored = find(output);
  if (!stored) return;
  thread_local std::vector<std::byte> buffer(kBlockBytes);
  const uint64_t size = size_of(stored->dtype);
  for (uint64_t at = 0; at < wanted.size(); at += kBlockBytes) {
    const auto piece = wanted.subspan(at, std::min<uint64_t>(kBlockBytes, wanted.size() - at));
    const std::span<std::byte> found(buffer.data(), piece.size());
    stored->file->read_at(stored->offset_bytes + offset_bytes + at, found);
    if (std::memcmp(piece.data(), found.data(), piece.size()) == 0) continue;
    uint64_t bytes = 0;
    for (size_t i = 0; i < piece.size(); ++i) bytes += piece[i] != found[i] ? 1 : 0;
    const auto first = static_cast<uint64_t>(std::mismatch(piece.begin(), piece.end(), found.begin()).first - piece.begin());
    const uint64_t element = first / size * size;
    record(output, bytes, offset_bytes + at + element, piece.subspan(element, size), found.subspan(element, size));
  }
}

void TensorPairs::record(size_t output, uint64_t bytes, uint64_t first_byte, std::span<const std::byte> wanted,
                         std::span<const std::byte> found) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Difference& difference = differences_[output];
  difference.bytes += bytes;
  if (first_byte >= difference.first_byte) return;
  difference.first_byte = first_byte;
  difference.wanted = hex(wanted);
  difference.found = hex(found);
}

std::string TensorPairs::place_of(size_t output) const {
  return fmt::format("{}, {}", std::filesystem::path(named_[output]->file->name()).filename().string(), plan_.outputs[output].name);
}

std::string TensorPairs::describe(size_t output, const Difference& difference) const {
  const OutputTensor& tensor = plan_.outputs[output];
  const uint64_t element = difference.first_byte / size_of(tensor.dtype);
  const uint64_t cols = cols_of(tensor.shape);
  return fmt::format("{} of {} bytes differ, first in row {}, column {} (byte {} of the file): {} found, {} expected", difference.bytes,
                     tensor.size_bytes(), element / cols, element % cols, named_[output]->offset_bytes + difference.first_byte,
                     difference.found, difference.wanted);
}

Comparison TensorPairs::result(Findings& findings) const {
  constexpr const char* kRemedy = "convert the source again, unless the difference is meant";
  Comparison out;
  std::vector<std::string> missing;
  for (size_t i = 0; i < plan_.outputs.size(); ++i) {
    const OutputTensor& wanted = plan_.outputs[i];
    if (!named_[i]) {
      missing.push_back(wanted.name);
      continue;
    }
    if (find(i) && differences_[i].bytes == 0) {
      ++out.equal;
      continue;
    }
    if (++out.different > kShownTensors) continue;
    const std::string reason = find(i) ? describe(i, differences_[i])
                                       : fmt::format("{} {} found, {} {} expected", name_of(named_[i]->dtype), to_string(named_[i]->shape),
                                                     name_of(wanted.dtype), to_string(wanted.shape));
    findings.error({.check = "source.tensor", .place = place_of(i), .reason = reason, .remedy = kRemedy});
  }
  out.missing = missing.size();
  out.unexpected = unexpected_.size();
  const auto report = [&](const char* check, uint64_t n, const char* what, const std::string& names) {
    if (n > 0)
      findings.error({.check = check, .place = "model*.safetensors", .reason = fmt::format("{} {}{}", n, what, names), .remedy = kRemedy});
  };
  report("source.missing", out.missing, "tensors that the conversion has are not there: ", shorten(missing));
  report("source.unexpected", out.unexpected, "tensors that the conversion has not: ", shorten(unexpected_));
  report("source.tensor", out.different > kShownTensors ? out.different - kShownTensors : 0, "further tensors differ", "");
  return out;
}

}  // namespace hf2mlx
