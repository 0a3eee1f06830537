// How fast changes of layout are read from a file in the page cache, in blocks as a conversion reads them.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/file_posix.h"
#include "transform/ops.h"
#include "transform/scratch.h"

namespace hf2mlx {
namespace {

// Two experts of a published model: gate and up side by side in [hidden, 2 * width], bf16.
constexpr uint64_t kExperts = 2;
constexpr uint64_t kHidden = 5120;
constexpr uint64_t kWidth = 8192;

class ExpertsFile {
 public:
  ExpertsFile() : path_(std::filesystem::temp_directory_path() / "hf2mlx_layout_bench_XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::filesystem::filesystem_error("mkdtemp", path_, {errno, std::generic_category()});
    const std::filesystem::path file = std::filesystem::path(path_) / "experts";
    const uint64_t size_bytes = kExperts * kHidden * 2 * kWidth * 2;
    const std::unique_ptr<Writer> writer = create_writer(file, size_bytes);
    std::vector<std::byte> block(1 << 20);
    for (uint64_t done = 0; done < size_bytes; done += block.size()) {
      std::fill(block.begin(), block.end(), static_cast<std::byte>(done >> 20));
      writer->write_at(done, block);
    }
    reader_ = open_reader(file);
  }
  ~ExpertsFile() { std::filesystem::remove_all(path_); }

  TensorRef tensor() const { return ops::source(reader_, Dtype::kBF16, {kExperts, kHidden, 2 * kWidth}, 0); }

 private:
  std::string path_;
  std::shared_ptr<const Reader> reader_;
};

TensorRef experts() {
  static const ExpertsFile file;
  return file.tensor();
}

// The argument is the size of a block in KiB.
void read_blocks(benchmark::State& state, const TensorRef& t) {
  Scratch scratch(8 << 20);
  const uint64_t row_bytes = cols_of(t->shape()) * 2;
  const uint64_t rows = std::max<uint64_t>(static_cast<uint64_t>(state.range(0)) * 1024 / row_bytes, 1);
  const uint64_t count = rows * cols_of(t->shape());
  std::vector<std::byte> block(count * 2);
  uint64_t begin = 0;
  for ([[maybe_unused]] const auto& _ : state) {
    t->read(begin, count, block.data(), scratch);
    begin = begin + 2 * count <= element_count(t->shape()) ? begin + count : 0;
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(block.size()));
}

void BM_Source(benchmark::State& state) { read_blocks(state, experts()); }
void BM_ColumnHalf(benchmark::State& state) { read_blocks(state, ops::slice(experts(), -1, kWidth, ops::kEnd)); }
void BM_EverySecondRow(benchmark::State& state) { read_blocks(state, ops::slice(experts(), -2, 1, ops::kEnd, 2)); }
void BM_EverySecondColumn(benchmark::State& state) { read_blocks(state, ops::slice(experts(), -1, 1, ops::kEnd, 2)); }
void BM_Transpose(benchmark::State& state) { read_blocks(state, ops::swapaxes(experts(), -1, -2)); }
void BM_TransposedHalf(benchmark::State& state) { read_blocks(state, ops::swapaxes(ops::slice(experts(), -1, kWidth, ops::kEnd), -1, -2)); }
void BM_HeadSplitTranspose(benchmark::State& state) {
  const TensorRef heads = ops::reshape(experts(), {ops::kInferred, 256, 512});
  read_blocks(state, ops::swapaxes(ops::slice(heads, 1, 0, 128), -1, -2));
}
void BM_RowInterleave(benchmark::State& state) {
  const TensorRef pairs = ops::reshape(experts(), {ops::kInferred, 2, 64, 2 * kWidth});
  read_blocks(state, ops::reshape(ops::swapaxes(pairs, 1, 2), {ops::kInferred, 2 * kWidth}));
}

BENCHMARK(BM_Source)->Arg(1024);
BENCHMARK(BM_ColumnHalf)->Arg(1024);
BENCHMARK(BM_EverySecondRow)->Arg(1024);
BENCHMARK(BM_EverySecondColumn)->Arg(1024);
BENCHMARK(BM_Transpose)->Arg(256)->Arg(1024)->Arg(4096)->Arg(16384);
BENCHMARK(BM_TransposedHalf)->Arg(1024)->Arg(4096);
BENCHMARK(BM_HeadSplitTranspose)->Arg(1024);
BENCHMARK(BM_RowInterleave)->Arg(1024);

}  // namespace
}  // namespace hf2mlx
