// Memory must not depend on the size of a tensor, whatever is done with it. Each operation that reads its input in another order, or more
// than once, is run here on the largest shape that has been published for it. What is read is made up, what is written is thrown away, and
// the run ends after a few hundred megabytes: every block is worked on as the one before. Each case has a process of its own, since a
// process does not give back all that it no longer needs.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arch/split_heads.h"
#include "hf2mlx/error.h"
#include "pipeline/pipeline.h"
#include "plan/layout.h"
#include "transform/ops.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HF2MLX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HF2MLX_SANITIZED 1
#endif
#endif
#ifndef HF2MLX_SANITIZED
#define HF2MLX_SANITIZED 0
#endif

namespace hf2mlx {
namespace {

constexpr bool kCountsMemory = !HF2MLX_SANITIZED;  // a sanitizer's own memory cannot be told from ours
constexpr unsigned kThreads = 2;
constexpr uint64_t kPromisedBytes = (uint64_t{64} + 8 * kThreads) << 20;  // docs/performance.md
constexpr uint64_t kEnoughBytes = uint64_t{192} << 20;                    // of values, after which a run is ended

uint64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  return static_cast<uint64_t>(usage.ru_maxrss);
#else
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
#endif
}

// A file of any size without any content of its own: the same byte throughout, which as a float is a small number.
class EndlessFile final : public Reader {
 public:
  void read_at(uint64_t, std::span<std::byte> out) const override { std::fill(out.begin(), out.end(), std::byte{0x3C}); }
  uint64_t size() const override { return UINT64_MAX; }
  const std::string& name() const override { return name_; }

 private:
  const std::string name_ = "endless";
};

class NoWriter final : public Writer {
 public:
  void write_at(uint64_t, std::span<const std::byte>) override {}
  void sync() override {}
};

class EndAfterEnough final : public Progress {
 public:
  void advance(uint64_t done_bytes) override {
    if (done_bytes >= kEnoughBytes) enough.cancel();
  }
  CancelToken enough;
};

TensorRef stored(Dtype dtype, Shape shape) {
  static const auto file = std::make_shared<EndlessFile>();
  return ops::source(file, dtype, std::move(shape), 0);
}

Plan plan_of(const std::vector<TensorRef>& values, const std::optional<Encoding>& encoding) {
  Plan plan;
  for (const TensorRef& value : values) {
    plan.steps.push_back({value, encoding, static_cast<uint32_t>(plan.outputs.size())});
    const std::string name = std::to_string(plan.steps.size());
    if (!encoding) {
      plan.outputs.push_back({name, value->dtype(), value->shape()});
      continue;
    }
    Shape words = value->shape(), scales = value->shape();
    words.back() = packed_words(*encoding, words.back());
    scales.back() = groups(*encoding, scales.back());
    plan.outputs.push_back({name + ".weight", Dtype::kU32, words});
    plan.outputs.push_back({name + ".scales", scale_dtype(*encoding, value->dtype()), scales});
    plan.outputs.push_back({name + ".biases", value->dtype(), scales});
  }
  lay_out(plan, UINT64_MAX);
  return plan;
}

// Runs the first kEnoughBytes of the values, or all of them where they are fewer.
void run(const std::vector<TensorRef>& values, const std::optional<Encoding>& encoding) {
  const Plan plan = plan_of(values, encoding);
  std::vector<PlanOutput> outputs;
  outputs.push_back({plan, {}});
  outputs.back().files.push_back(std::make_unique<NoWriter>());
  EndAfterEnough progress;
  try {
    run_plans(outputs, resolve_pipeline_options(kThreads, 0), &progress, &progress.enough);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kCancelled) throw;
  }
}

// The end of a tensor, in the memory that a thread has for it.
void read_last_block(const LazyTensor& value) {
  const uint64_t count = std::min<uint64_t>(element_count(value.shape()), 1 << 20);
  std::vector<std::byte> block(count * size_of(value.dtype()));
  Scratch scratch(4 << 20);
  value.read(element_count(value.shape()) - count, count, block.data(), scratch);
}

struct Case {
  std::string name;
  std::function<std::vector<TensorRef>()> values;
  bool encoded = true;  // whether the layer is one that -q encodes
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<TensorRef> kv_heads(bool packed) {
  TensorMap tensors;
  if (packed) {
    tensors = {{"kv_b_proj.weight", stored(Dtype::kU32, {32768, 64})},
               {"kv_b_proj.scales", stored(Dtype::kBF16, {32768, 8})},
               {"kv_b_proj.biases", stored(Dtype::kBF16, {32768, 8})}};
  } else {
    tensors = {{"kv_b_proj.weight", stored(Dtype::kBF16, {32768, 512})}};
  }
  split_heads({128, 128, 512}, "kv_b_proj", "embed_q", "unembed_out", tensors);
  std::vector<TensorRef> values;
  for (const auto& [name, value] : tensors) values.push_back(value);
  return values;
}

std::vector<Case> cases() {
  using std::vector;
  const auto gate_up = [] { return stored(Dtype::kBF16, {128, 5120, 16384}); };
  return {
      {"Llama4MaverickUpTransposed", [=] { return vector{ops::swapaxes(ops::slice(gate_up(), -1, 8192, ops::kEnd), 1, 2)}; }},
      {"Llama4MaverickDownTransposed",
       [] {
         return vector{ops::swapaxes(stored(Dtype::kBF16, {128, 8192, 5120}), 1, 2)};
       }},
      {"GptOss120bUpTransposedEverySecondRow",
       [] {
         return vector{ops::slice(ops::swapaxes(stored(Dtype::kBF16, {128, 2880, 5760}), -2, -1), -2, 1, ops::kEnd, 2)};
       }},
      {"GptOss120bBlocksEverySecondRow",
       [] {
         const TensorRef words = ops::view(stored(Dtype::kU8, {128, 5760, 90, 16}), Dtype::kU32);
         return vector{ops::slice(ops::reshape(words, {128, 5760, ops::kInferred}), -2, 1, ops::kEnd, 2)};
       },
       false},
      {"DbrxExpertTransposed",
       [] {
         return vector{ops::transpose(ops::slice(stored(Dtype::kBF16, {172032, 6144}), 0, 161280, 172032), {1, 0})};
       }},
      {"Qwen3Vl235bDownTransposed",
       [] {
         return vector{ops::swapaxes(stored(Dtype::kBF16, {128, 1536, 4096}), -2, -1)};
       }},
      {"DeepSeekV3Heads", [] { return kv_heads(false); }},
      {"DeepSeekV3HeadsPackedAgain", [] { return kv_heads(true); }, false},
      {"MuseSparkRowsInPairs",
       [] {
         const TensorRef pairs = ops::reshape(stored(Dtype::kBF16, {16384, 16384}), {ops::kInferred, 2, 64, 16384});
         return vector{ops::reshape(ops::swapaxes(pairs, 1, 2), {ops::kInferred, 16384})};
       }},
      {"BaichuanM1RowNorms",
       [] {
         return vector{ops::normalize_rows(stored(Dtype::kBF16, {133120, 5120}))};
       }},
      {"Ling1tColumnNorms",
       [] {
         return vector{ops::normalize_cols(stored(Dtype::kBF16, {157184, 8192}))};
       }},
      {"DeepSeekV3Fp8Blocks",
       [] {
         return vector{ops::fp8_dequant(stored(Dtype::kF8E4M3, {7168, 18432}), stored(Dtype::kF32, {56, 144}), 128, 128, Dtype::kBF16)};
       }},
  };
}

class FullSize : public ::testing::TestWithParam<Case> {};

// Ends the process with 0 if it has kept the promise.
[[noreturn]] void run_and_exit(const Case& c) {
  const std::vector<TensorRef> values = c.values();
  run(values, c.encoded ? std::optional(Encoding{QuantMode::kAffine, 4, 64}) : std::nullopt);
  for (const TensorRef& value : values) read_last_block(*value);
  const uint64_t peak = peak_memory_bytes();
  std::cerr << "peak memory " << peak << " bytes\n";
  std::exit(kCountsMemory && peak > kPromisedBytes ? 1 : 0);
}

TEST_P(FullSize, MemoryIsWhatIsPromised) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(run_and_exit(GetParam()), ::testing::ExitedWithCode(0), "peak memory");
}

INSTANTIATE_TEST_SUITE_P(Shapes, FullSize, ::testing::ValuesIn(cases()), [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace hf2mlx
