// How fast the packed weights of other tools become bf16, in bytes of the values that come out, with a plain read beside them.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "transform/test_support.h"

namespace hf2mlx {
namespace {

using testing::random_bytes;
using testing::stored;

constexpr uint64_t kRows = 4096;
constexpr uint64_t kCols = 4096;
constexpr uint64_t kGroup = 128;
constexpr uint64_t kBlockBytes = 256 << 10;

TensorRef random_tensor(Dtype dtype, const Shape& shape) { return stored(random_bytes(dtype, shape, 1)); }

TensorRef small_floats(Dtype dtype, const Shape& shape) {
  return stored(testing::from_floats(dtype, shape, std::vector<float>(element_count(shape), 0.01f)));
}

// In blocks of rows as a conversion reads them.
void read_all(benchmark::State& state, const TensorRef& t) {
  Scratch scratch(8 << 20);
  const uint64_t cols = cols_of(t->shape());
  const uint64_t rows = std::max<uint64_t>(std::max(t->preferred_count(), kBlockBytes / size_of(t->dtype())) / cols, 1);
  std::vector<std::byte> block(rows * cols * size_of(t->dtype()));
  for ([[maybe_unused]] const auto& _ : state) {
    for (uint64_t row = 0; row + rows <= t->shape()[0]; row += rows) {
      t->read(row * cols, rows * cols, block.data(), scratch);
      benchmark::ClobberMemory();
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * element_count(t->shape()) * size_of(t->dtype())));
}

TensorRef table_of(uint64_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0f);
  return ops::constant(values, Dtype::kF32);
}

TensorRef grouped(const TensorRef& codes, uint64_t group_size, const TensorRef& zeros, const TensorRef& group_of) {
  return ops::grouped_values({codes, nullptr, small_floats(Dtype::kBF16, {kRows, kCols / group_size}), zeros, group_size, group_of},
                             Dtype::kBF16);
}

// As GPTQ without an order of its own would have it.
TensorRef shuffled_groups() {
  std::vector<int32_t> groups(kCols);
  for (uint64_t i = 0; i < kCols; ++i) groups[i] = static_cast<int32_t>(i * 37 % (kCols / kGroup));
  return stored(testing::array_of(Dtype::kI32, {kCols}, groups));
}

TensorRef codes4() { return ops::unpack_codes(random_tensor(Dtype::kI32, {kRows, kCols / 8}), 4, CodeOrder::kInOrder); }
TensorRef zeros() { return random_tensor(Dtype::kU8, {kRows, kCols / kGroup}); }

void BM_Read(benchmark::State& state) { read_all(state, random_tensor(Dtype::kBF16, {kRows, kCols})); }
void BM_Fp8Blocks(benchmark::State& state) {
  const TensorRef scales = small_floats(Dtype::kF32, {kRows / 128, kCols / 128});
  read_all(state, ops::fp8_dequant(random_tensor(Dtype::kF8E4M3, {kRows, kCols}), scales, 128, 128, Dtype::kBF16));
}
void BM_Fp8Rows(benchmark::State& state) {
  const TensorRef scales = small_floats(Dtype::kBF16, {kRows, 1});
  read_all(state, ops::fp8_dequant(random_tensor(Dtype::kF8E4M3, {kRows, kCols}), scales, 1, kCols, Dtype::kBF16));
}
void BM_UnpackCodes(benchmark::State& state) {
  const auto bits = static_cast<uint32_t>(state.range(0));
  read_all(state, ops::unpack_codes(random_tensor(Dtype::kI32, {kRows, kCols * bits / 32}), bits, CodeOrder::kInOrder));
}
void BM_UnpackHighFirst(benchmark::State& state) {
  read_all(state, ops::unpack_codes(random_tensor(Dtype::kU8, {kRows, kCols / 2}), 4, CodeOrder::kHighFirst));
}
void BM_Codes8Grouped(benchmark::State& state) {
  read_all(state, grouped(random_tensor(Dtype::kU8, {kRows, kCols}), kGroup, nullptr, nullptr));
}
void BM_Codes4Grouped(benchmark::State& state) { read_all(state, grouped(codes4(), kGroup, zeros(), nullptr)); }
void BM_Codes4Shuffled(benchmark::State& state) { read_all(state, grouped(codes4(), kGroup, zeros(), shuffled_groups())); }
// NVFP4: a scale for each 16 codes, of eight bits itself.
void BM_Nvfp4(benchmark::State& state) {
  const TensorRef codes = ops::unpack_codes(random_tensor(Dtype::kU8, {kRows, kCols / 2}), 4, CodeOrder::kInOrder);
  const TensorRef scales =
      ops::scaled_by(random_tensor(Dtype::kF8E4M3, {kRows, kCols / 16}), ops::constant({0.01f}, Dtype::kF32), ops::Factor::kDivide);
  read_all(state, ops::grouped_values({codes, table_of(16), scales, nullptr, 16, nullptr}, Dtype::kBF16));
}
// bitsandbytes' nf4 with coded scales: one row of blocks of 64.
void BM_Nf4(benchmark::State& state) {
  constexpr uint64_t kCount = kRows * kCols;
  const TensorRef codes = ops::unpack_codes(random_tensor(Dtype::kU8, {1, kCount / 2}), 4, CodeOrder::kHighFirst);
  const TensorRef nested = ops::grouped_values({random_tensor(Dtype::kU8, {1, kCount / 64}), table_of(256),
                                                small_floats(Dtype::kF32, {1, kCount / 64 / 256}), nullptr, 256, nullptr},
                                               Dtype::kF32);
  const TensorRef values = ops::grouped_values({codes, table_of(16), ops::add_scalar(nested, 0.5), nullptr, 64, nullptr}, Dtype::kBF16);
  read_all(state, ops::reshape(values, {kRows, kCols}));
}
void BM_Int8Rows(benchmark::State& state) {
  const TensorRef codes = ops::shift_codes(random_tensor(Dtype::kU8, {kRows, kCols}), 128, 8);
  read_all(state,
           ops::grouped_values({codes, nullptr, small_floats(Dtype::kBF16, {kRows, 1}), nullptr, kCols, nullptr, 128}, Dtype::kBF16));
}
void BM_Ternary(benchmark::State& state) {
  const TensorRef bytes = random_tensor(Dtype::kU8, {kRows / 4, kCols});
  std::vector<TensorRef> quarters;
  for (uint32_t i = 0; i < 4; ++i) quarters.push_back(ops::bit_field(bytes, 2 * i, 2));
  read_all(state, ops::pack_codes(ops::concat(quarters, 0), 2));
}
void BM_AwqTranspose(benchmark::State& state) { read_all(state, ops::swapaxes(random_tensor(Dtype::kI32, {kCols, kRows / 8}), 0, 1)); }
void BM_AwqRepack(benchmark::State& state) { read_all(state, ops::awq_repack(random_tensor(Dtype::kI32, {kCols, kRows / 8}))); }
void BM_Dequantize4(benchmark::State& state) {
  const TensorRef scales = small_floats(Dtype::kBF16, {kRows, kCols / 64});
  read_all(state,
           ops::dequantize(random_tensor(Dtype::kU32, {kRows, kCols / 8}), scales, scales, {QuantMode::kAffine, 4, 64}, Dtype::kBF16));
}

BENCHMARK(BM_Read);
BENCHMARK(BM_Fp8Blocks);
BENCHMARK(BM_Fp8Rows);
BENCHMARK(BM_UnpackCodes)->Arg(2)->Arg(3)->Arg(4)->Arg(8);
BENCHMARK(BM_UnpackHighFirst);
BENCHMARK(BM_Codes8Grouped);
BENCHMARK(BM_Codes4Grouped);
BENCHMARK(BM_Codes4Shuffled);
BENCHMARK(BM_Nvfp4);
BENCHMARK(BM_Nf4);
BENCHMARK(BM_Int8Rows);
BENCHMARK(BM_Ternary);
BENCHMARK(BM_AwqTranspose);
BENCHMARK(BM_AwqRepack);
BENCHMARK(BM_Dequantize4);

}  // namespace
}  // namespace hf2mlx
