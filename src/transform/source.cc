// The leaves: tensors in a file and in memory.
#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "quant/convert.h"
#include "transform/check.h"
#include "transform/ops.h"

namespace hf2mlx::ops {
namespace {

class Source final : public LazyTensor {
 public:
  Source(std::shared_ptr<const Reader> file, Dtype dtype, Shape shape, uint64_t offset_bytes)
      : LazyTensor(dtype, std::move(shape)), file_(std::move(file)), offset_bytes_(offset_bytes) {}

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch&) const override {
    const uint64_t bytes = size_of(dtype());
    file_->read_at(offset_bytes_ + begin * bytes, {out, count * bytes});
  }

  std::optional<FileExtent> stored_at(uint64_t begin, uint64_t count) const override {
    const uint64_t bytes = size_of(dtype());
    return FileExtent{file_, offset_bytes_ + begin * bytes, count * bytes};
  }

 private:
  const std::shared_ptr<const Reader> file_;
  const uint64_t offset_bytes_;
};

class Constant final : public LazyTensor {
 public:
  Constant(const std::vector<float>& values, Dtype dtype) : LazyTensor(dtype, {values.size()}), bytes_(values.size() * size_of(dtype)) {
    convert_elements(Dtype::kF32, reinterpret_cast<const std::byte*>(values.data()), dtype, bytes_.data(), values.size());
  }

  void read(uint64_t begin, uint64_t count, std::byte* out, Scratch&) const override {
    std::memcpy(out, bytes_.data() + begin * size_of(dtype()), count * size_of(dtype()));
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

TensorRef source(std::shared_ptr<const Reader> file, Dtype dtype, Shape shape, uint64_t offset_bytes) {
  const uint64_t end_bytes = offset_bytes + element_count(shape) * size_of(dtype);
  if (end_bytes > file->size()) {
    fail_shape(file->name(), fmt::format("{} bytes long, but a tensor of shape {} ends at {}", file->size(), to_string(shape), end_bytes));
  }
  return std::make_shared<Source>(std::move(file), dtype, std::move(shape), offset_bytes);
}

TensorRef constant(const std::vector<float>& values, Dtype dtype) {
  if (!is_float(dtype)) fail_shape("constant", fmt::format("found {}, expected a float dtype", name_of(dtype)));
  return std::make_shared<Constant>(values, dtype);
}

}  // namespace hf2mlx::ops
