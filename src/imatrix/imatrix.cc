// See imatrix.h. Facts from llama.cpp's tools/imatrix/imatrix.cpp and tools/quantize/quantize.cpp.
#include "imatrix/imatrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hf2mlx/error.h"
#include "imatrix/cursor.h"
#include "imatrix/gguf.h"
#include "io/file_posix.h"

namespace hf2mlx {
namespace {

constexpr std::string_view kSums = ".in_sum2";
constexpr std::string_view kCounts = ".counts";
constexpr uint64_t kMaxMatrices = 1 << 16;

// Sums that are stored in a file, as means.
class Means final : public LazyTensor {
 public:
  Means(std::shared_ptr<const Reader> file, std::string name, const ImatrixEntry& entry, Shape shape)
      : LazyTensor(Dtype::kF32, std::move(shape)), file_(std::move(file)), name_(std::move(name)), entry_(entry) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch&) const override {
    file_->read_at(entry_.offset_bytes + begin * sizeof(float), {out, count * sizeof(float)});
    const uint64_t run = entry_.values / entry_.counts.size();
    for (uint64_t i = 0; i < count; ++i) {
      std::byte* const at = out + i * sizeof(float);
      float value;
      std::memcpy(&value, at, sizeof value);
      value = mean(value, entry_.counts[(begin + i) / run]);
      std::memcpy(at, &value, sizeof value);
    }
  }

 private:
  float mean(float sum, float count) const {
    if (!std::isfinite(sum) || sum < 0) {
      throw Error(ErrorCode::kCorrupt, fmt::format("{}: {} holds {}, a sum of squares expected", file_->name(), name_, sum),
                  "make the importance matrix anew");
    }
    return count > 0 ? sum / count : 1.0f;
  }

  const std::shared_ptr<const Reader> file_;
  const std::string name_;
  const ImatrixEntry entry_;
};

std::vector<float> read_floats(const Reader& file, const GgufTensor& t) {
  std::vector<float> values(element_count(t.shape));
  file.read_at(t.offset_bytes, std::as_writable_bytes(std::span(values)));
  return values;
}

}  // namespace

Imatrix::Imatrix(const std::filesystem::path& path) : Imatrix(std::shared_ptr<const Reader>(open_reader(path))) {}

Imatrix::Imatrix(std::shared_ptr<const Reader> file) : file_(std::move(file)) {
  if (is_gguf(*file_))
    read_gguf();
  else
    read_legacy();
}

void Imatrix::read_gguf() {
  const Gguf gguf = parse_gguf(*file_);
  std::map<std::string_view, const GgufTensor*> by_name;
  for (const GgufTensor& t : gguf.tensors) {
    if (t.type == kGgufF32) by_name.emplace(t.name, &t);
  }
  for (const auto& [name, sums] : by_name) {
    if (!name.ends_with(kSums)) continue;
    const std::string base(name.substr(0, name.size() - kSums.size()));
    const auto counts = by_name.find(base + std::string(kCounts));
    const uint64_t values = element_count(sums->shape);
    const uint64_t runs = counts == by_name.end() ? 0 : element_count(counts->second->shape);
    if (runs == 0 || runs > kMaxMatrices || values == 0 || values % runs != 0) {
      throw Error(ErrorCode::kCorrupt, fmt::format("{}: {} sums and {} counts found for {}", file_->name(), values, runs, base),
                  "make the importance matrix anew");
    }
    entries_.emplace(base, ImatrixEntry{values, sums->offset_bytes, read_floats(*file_, *counts->second)});
  }
  if (!entries_.empty()) return;
  throw Error(ErrorCode::kUnsupported,
              fmt::format("{}: a GGUF file of type '{}' without importances found, one of llama-imatrix expected", file_->name(),
                          gguf.type.empty() ? "model" : gguf.type),
              "importance matrices are published beside GGUF models, as imatrix.gguf or imatrix.dat");
}

void Imatrix::read_legacy() {
  Cursor at(*file_);
  const auto entries = at.number<int32_t>();
  if (entries < 1) at.fail(fmt::format("{} entries found, at least one expected", entries));
  at.require_room(static_cast<uint64_t>(entries), 4 + 1 + 4 + 4 + 4, "entries");
  for (int32_t i = 0; i < entries; ++i) {
    const auto length = at.number<int32_t>();
    if (length < 1) at.fail(fmt::format("a name of {} bytes found", length));
    std::string name = at.text(static_cast<uint64_t>(length));
    const auto calls = at.number<int32_t>();
    const auto values = at.number<int32_t>();
    if (values < 1) at.fail(fmt::format("{}: {} values found", name, values));
    // llama.cpp takes the values as means where no call was counted.
    const float divisor = calls > 0 ? static_cast<float>(calls) : 1.0f;
    entries_.emplace(std::move(name), ImatrixEntry{static_cast<uint64_t>(values), at.offset(), {divisor}});
    at.skip(static_cast<uint64_t>(values) * sizeof(float));
  }
}

TensorRef Imatrix::means(std::string_view name, uint64_t matrices, uint64_t cols) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return nullptr;
  const ImatrixEntry& e = found->second;
  const uint64_t runs = e.counts.size();
  const bool one_for_all = e.values == cols && runs == 1;
  const bool one_for_each = e.values / cols == matrices && e.values % cols == 0 && (runs == 1 || runs == matrices);
  if (!one_for_all && !one_for_each) return nullptr;
  return std::make_shared<Means>(file_, found->first, e, Shape{e.values / cols, cols});
}

}  // namespace hf2mlx
