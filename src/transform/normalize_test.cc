// Values that real mlx 0.32.4 computed on the CPU, as digests: see test_support.h for the inputs.
#include <atomic>
#include <thread>

#include "transform/test_support.h"

namespace hf2mlx {
namespace {

using testing::Array;
using testing::expect_digest;
using testing::expect_error;
using testing::generated_floats;
using testing::MemoryFile;
using testing::random_floats;
using testing::read_all;
using testing::stored;

TEST(NormalizeTest, RowsAsMlxComputes) {
  expect_digest(ops::normalize_rows(stored(generated_floats(Dtype::kBF16, {61, 130}, 7))), 0x5c5ad74bd45de5ce);
  expect_digest(ops::normalize_rows(stored(generated_floats(Dtype::kF16, {61, 130}, 7))), 0xbe498a63dc3ad107);
  expect_digest(ops::normalize_rows(stored(generated_floats(Dtype::kF32, {61, 130}, 7))), 0x7a1842fd82537f92);
}

TEST(NormalizeTest, ColumnsAsMlxComputes) {
  for (const uint64_t scratch_bytes : {uint64_t{256}, uint64_t{1} << 20}) {
    expect_digest(ops::normalize_cols(stored(generated_floats(Dtype::kBF16, {61, 130}, 7))), 0x23fa1336ecc5e7cb, scratch_bytes);
    expect_digest(ops::normalize_cols(stored(generated_floats(Dtype::kF16, {61, 130}, 7))), 0x008d4a1c0148b738, scratch_bytes);
    expect_digest(ops::normalize_cols(stored(generated_floats(Dtype::kF32, {61, 130}, 7))), 0x6338d0ef0db304b6, scratch_bytes);
  }
}

TEST(NormalizeTest, ColumnNormsDoNotDependOnTheTiles) {
  const TensorRef t = stored(random_floats(Dtype::kBF16, {300, 1500}, 1));
  const Array whole = read_all(ops::normalize_cols(t));
  const TensorRef again = ops::normalize_cols(t);
  Scratch small(700);
  testing::expect_range(*again, whole, 1700, 3000, small);
}

TEST(NormalizeTest, ThreadsShareOnePassOverTheColumns) {
  const Array a = random_floats(Dtype::kF32, {64, 32}, 1);
  const auto file = std::make_shared<MemoryFile>(a.bytes);
  const TensorRef t = ops::normalize_cols(ops::source(file, a.dtype, a.shape, 0));
  const Array expected = read_all(ops::normalize_cols(stored(a)));
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      Scratch scratch(1 << 16);
      testing::expect_range(*t, expected, i * 512, 512, scratch);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(file->bytes_read.load(), 2 * a.bytes.size());
}

TEST(NormalizeTest, OnlyFloatMatrices) {
  expect_error(ErrorCode::kCorrupt, [] { ops::normalize_rows(stored(random_floats(Dtype::kF32, {4}, 1))); });
  expect_error(ErrorCode::kCorrupt, [] { ops::normalize_cols(stored(random_floats(Dtype::kF32, {1, 2, 3}, 1))); });
  expect_error(ErrorCode::kUnsupported, [] { ops::normalize_rows(stored(testing::random_bytes(Dtype::kU8, {2, 2}, 1))); });
}

}  // namespace
}  // namespace hf2mlx
