#include "plan/layout.h"

#include <fmt/format.h>

#include "tensor/safetensors.h"

namespace hf2mlx {
namespace {

// The number of outputs from `first` that go into one shard.
size_t shard_length(const Plan& plan, size_t first, uint64_t max_shard_bytes) {
  uint64_t size = 0;
  size_t n = 0;
  for (; first + n < plan.outputs.size(); ++n) {
    size += plan.outputs[first + n].size_bytes();
    if (n > 0 && size > max_shard_bytes) break;
  }
  return n;
}

Shard make_shard(Plan& plan, size_t first, size_t count, uint32_t number) {
  std::vector<TensorSpec> specs;
  specs.reserve(count);
  for (size_t i = first; i < first + count; ++i) specs.push_back({plan.outputs[i].name, plan.outputs[i].dtype, plan.outputs[i].shape});
  SafetensorsLayout layout = lay_out_safetensors(specs);
  for (size_t i = 0; i < count; ++i) {
    plan.outputs[first + i].shard = number;
    plan.outputs[first + i].offset_bytes = layout.offsets_bytes[i];
  }
  return {{}, std::move(layout.header), layout.file_size_bytes};
}

}  // namespace

void lay_out(Plan& plan, uint64_t max_shard_bytes) {
  for (size_t first = 0; first < plan.outputs.size();) {
    const size_t count = shard_length(plan, first, max_shard_bytes);
    plan.shards.push_back(make_shard(plan, first, count, static_cast<uint32_t>(plan.shards.size())));
    first += count;
  }
  const size_t n = plan.shards.size();
  for (size_t i = 0; i < n; ++i)
    plan.shards[i].file_name = n == 1 ? "model.safetensors" : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, n);
}

}  // namespace hf2mlx
