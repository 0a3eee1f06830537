// Several plans at once must write what each writes alone, with the source read once.
#include "pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "pipeline/measure.h"
#include "plan/layout.h"
#include "transform/test_support.h"

namespace hf2mlx {
namespace {

using testing::Array;
using testing::Bytes;
using testing::MemoryFile;
using testing::random_floats;

// Writes into memory that the test holds; what was not written stays as it was.
class MemoryWriter final : public Writer {
 public:
  explicit MemoryWriter(Bytes& bytes) : bytes_(bytes) {}
  void write_at(uint64_t offset, std::span<const std::byte> data) override {
    ASSERT_LE(offset + data.size(), bytes_.size());
    std::memcpy(bytes_.data() + offset, data.data(), data.size());
  }
  void sync() override {}

 private:
  Bytes& bytes_;
};

class RunPlansTest : public ::testing::Test {
 protected:
  // Rows of two mebibytes, and a plain tensor.
  RunPlansTest()
      : weight_(random_floats(Dtype::kBF16, {3, 1 << 20}, 1)),
        norm_(random_floats(Dtype::kBF16, {1000}, 2)),
        weight_file_(std::make_shared<MemoryFile>(weight_.bytes)),
        weight_tensor_(ops::source(weight_file_, Dtype::kBF16, weight_.shape, 0)),
        norm_tensor_(testing::stored(norm_)) {}

  Plan plan_of(const std::optional<Encoding>& e, bool reencoded = false) const {
    Plan plan;
    plan.steps = {{weight_tensor_, e, 0, reencoded}};
    if (e) {
      plan.outputs = {{"w.weight", Dtype::kU32, {3, packed_words(*e, 1 << 20)}},
                      {"w.scales", scale_dtype(*e, Dtype::kBF16), {3, groups(*e, 1 << 20)}}};
      if (has_biases(*e)) plan.outputs.push_back({"w.biases", Dtype::kBF16, {3, groups(*e, 1 << 20)}});
    } else {
      plan.outputs = {{"w.weight", Dtype::kBF16, weight_.shape}};
    }
    plan.steps.push_back({norm_tensor_, std::nullopt, static_cast<uint32_t>(plan.outputs.size())});
    plan.outputs.push_back({"norm", Dtype::kBF16, norm_.shape});
    lay_out(plan, UINT64_MAX);
    return plan;
  }

  struct Result {
    std::vector<Bytes> files;  // one for each plan
    std::vector<Loss> losses;
  };

  static Result run(const std::vector<Plan>& plans, uint64_t memory_bytes, unsigned threads = 3) {
    Result result;
    for (const Plan& plan : plans) result.files.emplace_back(plan.shards[0].size_bytes, std::byte{0x5A});
    std::vector<PlanOutput> outputs;
    for (size_t i = 0; i < plans.size(); ++i) {
      outputs.push_back({plans[i], {}});
      outputs.back().files.push_back(std::make_unique<MemoryWriter>(result.files[i]));
    }
    result.losses = run_plans(outputs, {threads, memory_bytes}, nullptr, nullptr);
    return result;
  }

  const Array weight_, norm_;
  const std::shared_ptr<MemoryFile> weight_file_;
  const TensorRef weight_tensor_, norm_tensor_;
};

TEST_F(RunPlansTest, VariantsAreWhatTheyAreAlone) {
  const std::vector<Plan> plans = {plan_of(Encoding{QuantMode::kAffine, 3, 32}), plan_of(std::nullopt),
                                   plan_of(default_encoding(QuantMode::kNvfp4)), plan_of(Encoding{QuantMode::kAffine, 8, 128})};
  for (const uint64_t memory_bytes : {3ull << 20, 64ull << 20}) {
    const Result together = run(plans, memory_bytes);
    for (size_t i = 0; i < plans.size(); ++i) EXPECT_EQ(together.files[i], run({plans[i]}, memory_bytes).files[0]) << i;
  }
}

TEST_F(RunPlansTest, TheSourceIsReadOnce) {
  run({plan_of(Encoding{QuantMode::kAffine, 4, 64}), plan_of(std::nullopt), plan_of(default_encoding(QuantMode::kMxfp8))}, 3 << 20);
  EXPECT_EQ(weight_file_->bytes_read, weight_.bytes.size());
}

TEST_F(RunPlansTest, ProgressCountsAValueOnce) {
  struct Sum final : Progress {
    void begin(std::string_view, uint64_t total_bytes) override { total = total_bytes; }
    void advance(uint64_t done_bytes) override { done = done_bytes; }
    uint64_t total = 0, done = 0;
  } progress;
  const std::vector<Plan> plans = {plan_of(Encoding{QuantMode::kAffine, 4, 64}), plan_of(std::nullopt)};
  std::vector<Bytes> files;
  for (const Plan& plan : plans) files.emplace_back(plan.shards[0].size_bytes);
  std::vector<PlanOutput> outputs;
  for (size_t i = 0; i < plans.size(); ++i) {
    outputs.push_back({plans[i], {}});
    outputs.back().files.push_back(std::make_unique<MemoryWriter>(files[i]));
  }
  run_plans(outputs, {2, 2 << 20}, &progress, nullptr);
  EXPECT_EQ(progress.total, weight_.bytes.size() + norm_.bytes.size());
  EXPECT_EQ(progress.done, progress.total);
}

TEST_F(RunPlansTest, OnlyReencodedStepsAreMeasured) {
  const Encoding four{QuantMode::kAffine, 4, 64};
  const Result result = run({plan_of(four), plan_of(four, true), plan_of(Encoding{QuantMode::kAffine, 8, 64}, true)}, 3 << 20);
  EXPECT_EQ(result.losses[0].relative_rms(), 0);
  EXPECT_EQ(result.files[0], result.files[1]);
  // Of the whole at once.
  const ops::Encoded parts = ops::quantize(weight_tensor_, four);
  const auto before = testing::to_floats(weight_);
  Scratch scratch(16 << 20);
  Array decoded{Dtype::kBF16, weight_.shape, Bytes(weight_.bytes.size())};
  ops::dequantize(parts.packed, parts.scales, parts.biases, four, Dtype::kBF16)->read(0, before.size(), decoded.bytes.data(), scratch);
  const auto after = testing::to_floats(decoded);
  double errors = 0, squares = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    errors += std::pow(double{before[i]} - double{after[i]}, 2);
    squares += std::pow(double{before[i]}, 2);
  }
  EXPECT_NEAR(result.losses[1].relative_rms(), std::sqrt(errors / squares), 1e-9);
  EXPECT_LT(result.losses[2].relative_rms(), result.losses[1].relative_rms() / 8);
}

// Has the blocks in reverse order, and keeps what it is told.
class Reversing final : public RunGuide {
 public:
  const std::unordered_map<uint32_t, BlockRecord>& earlier() const override { return known; }
  void arrange(const std::vector<Piece>& blocks, std::vector<uint32_t>& numbers) override {
    all = blocks.size();
    std::reverse(numbers.begin(), numbers.end());
    arranged = numbers;
  }
  void finished(uint32_t number, const BlockRecord& record) override {
    order.push_back(number);
    records[number] = record;
  }

  std::unordered_map<uint32_t, BlockRecord> known, records;
  std::vector<uint32_t> arranged, order;
  size_t all = 0;
};

class GuidedRunTest : public RunPlansTest {
 protected:
  GuidedRunTest() : plans_{plan_of(Encoding{QuantMode::kAffine, 4, 64}, true), plan_of(std::nullopt)}, plain_(run(plans_, 3 << 20)) {
    for (const Plan& plan : plans_) files_.emplace_back(plan.shards[0].size_bytes, std::byte{0x5A});
  }

  std::vector<Loss> run_guided(Reversing& guide) {
    std::vector<PlanOutput> outputs;
    for (size_t i = 0; i < plans_.size(); ++i) {
      outputs.push_back({plans_[i], {}});
      outputs.back().files.push_back(std::make_unique<MemoryWriter>(files_[i]));
    }
    const GuidedRun guided{guide, [&](size_t plan, uint32_t, uint64_t offset, std::span<std::byte> out) {
                             std::memcpy(out.data(), files_[plan].data() + offset, out.size());
                           }};
    return run_plans(outputs, {1, 3 << 20}, nullptr, nullptr, &guided);
  }

  const std::vector<Plan> plans_;
  const Result plain_;
  std::vector<Bytes> files_;
};

TEST_F(GuidedRunTest, BlocksComeInTheOrderOfTheGuide) {
  Reversing guide;
  const std::vector<Loss> losses = run_guided(guide);
  EXPECT_GT(guide.all, 4u);
  EXPECT_EQ(guide.arranged.size(), guide.all);
  EXPECT_EQ(guide.order, guide.arranged);
  EXPECT_EQ(files_, plain_.files);
  EXPECT_EQ(losses[0].relative_rms(), plain_.losses[0].relative_rms());
}

TEST_F(GuidedRunTest, WhatIsWrittenIsNotWrittenAgain) {
  Reversing first, second;
  run_guided(first);
  second.known = first.records;
  second.known.erase(1);
  second.known.erase(2);
  const uint64_t read_before = weight_file_->bytes_read;
  const std::vector<Loss> losses = run_guided(second);
  EXPECT_EQ(second.order, (std::vector<uint32_t>{2, 1}));
  EXPECT_LT(weight_file_->bytes_read - read_before, weight_.bytes.size());
  EXPECT_NEAR(losses[0].relative_rms(), plain_.losses[0].relative_rms(), 1e-12);
}

TEST_F(GuidedRunTest, WhatIsNotWhatWasWrittenIsWrittenAgain) {
  Reversing first, second;
  run_guided(first);
  second.known = first.records;
  files_[1].back() ^= std::byte{1};
  run_guided(second);
  EXPECT_EQ(second.order.size(), 1u);
  EXPECT_EQ(files_, plain_.files);
}

// Large matrices of a stack lie apart in files.
TEST(ForEachBlock, EndsWhereAMatrixOfAStackEnds) {
  const Array large = random_floats(Dtype::kF32, {3, 5, 30'000}, 1);
  const Array small = random_floats(Dtype::kF32, {3, 5, 300}, 2);
  const std::vector<Step> steps = {{testing::stored(large), std::nullopt, 0}, {testing::stored(small), std::nullopt, 1}};
  const std::vector<Use> uses = {{&steps[0], 0}, {&steps[1], 0}};
  std::vector<std::pair<uint64_t, uint64_t>> blocks;
  const PipelineOptions options{1, 4 << 20};
  for_each_block(uses, {"test", options, nullptr, nullptr}, [&](const Piece& piece, const std::byte*, Buffers&) {
    EXPECT_EQ(piece.number, blocks.size());
    blocks.emplace_back(piece.begin, piece.count);
  });
  EXPECT_EQ(blocks,
            (std::vector<std::pair<uint64_t, uint64_t>>{
                {0, 120'000}, {120'000, 30'000}, {150'000, 120'000}, {270'000, 30'000}, {300'000, 120'000}, {420'000, 30'000}, {0, 4500}}));
}

class MeasureTest : public ::testing::Test {
 protected:
  static std::vector<Loss> measure(const std::vector<Step>& steps, const PipelineOptions& options = {1, 1 << 20}) {
    return measure_losses(steps, options, nullptr, nullptr);
  }
  static Step step(const TensorRef& value, uint32_t bits, const TensorRef& weights = nullptr) {
    return {value, Encoding{QuantMode::kAffine, bits, 64}, 0, false, Fit::kNearest, weights};
  }
  // Squares of what encoding changes, for each element.
  static std::vector<double> squares_of(const Array& values, uint32_t bits) {
    const Encoding e{QuantMode::kAffine, bits, 64};
    const ops::Encoded parts = ops::quantize(testing::stored(values), e);
    const auto before = testing::to_floats(values);
    const auto after = testing::to_floats(testing::read_all(ops::dequantize(parts.packed, parts.scales, parts.biases, e, values.dtype)));
    std::vector<double> out;
    for (size_t i = 0; i < before.size(); ++i) out.push_back(std::pow(double{before[i]} - double{after[i]}, 2));
    return out;
  }
};

TEST_F(MeasureTest, WhatIsNotFiniteDoesNotCount) {
  const Array values = testing::from_floats(Dtype::kF32, {32}, [] {
    std::vector<float> v(32, 1.0f);
    v[3] = std::nanf("");
    return v;
  }());
  const Loss loss = measure({{testing::stored(values), default_encoding(QuantMode::kMxfp8), 0}}).front();
  EXPECT_TRUE(std::isfinite(loss.relative_rms()));
  EXPECT_LE(loss.value_squares, 31);
}

TEST_F(MeasureTest, EachColumnCountsAsMuchAsItsWeight) {
  const Array values = random_floats(Dtype::kBF16, {2, 3, 128}, 5);  // two matrices of three rows
  const Array weights = random_floats(Dtype::kF32, {2, 128}, 6);
  std::vector<float> w = testing::to_floats(weights);
  for (float& x : w) x = std::abs(x);
  const auto of_each = testing::stored(testing::from_floats(Dtype::kF32, {2, 128}, w));
  const auto of_all = testing::stored(testing::from_floats(Dtype::kF32, {1, 128}, {w.begin(), w.begin() + 128}));
  const auto losses = measure({step(testing::stored(values), 4, of_each), step(testing::stored(values), 4, of_all)});
  const std::vector<double> squares = squares_of(values, 4);
  double each = 0, all = 0;
  for (size_t i = 0; i < squares.size(); ++i) {
    each += squares[i] * double{w[i / 384 * 128 + i % 128]};
    all += squares[i] * double{w[i % 128]};
  }
  EXPECT_NEAR(losses[0].error_squares, each, each * 1e-12);
  EXPECT_NEAR(losses[1].error_squares, all, all * 1e-12);
}

TEST_F(MeasureTest, ThreadsAndMemoryDoNotMatter) {
  const Array values = random_floats(Dtype::kBF16, {3, 1 << 18}, 7);
  const Array weights = testing::from_floats(Dtype::kF32, {1, 1 << 18}, std::vector<float>(1 << 18, 0.3f));
  const TensorRef value = testing::stored(values);
  const std::vector<Step> steps = {step(value, 2), step(value, 4), step(value, 4, testing::stored(weights))};
  const std::vector<Loss> expected = measure(steps);
  for (const PipelineOptions& options : {PipelineOptions{1, 64 << 20}, {3, 3 << 20}, {4, 24 << 20}}) {
    const std::vector<Loss> losses = measure(steps, options);
    for (size_t i = 0; i < steps.size(); ++i) {
      EXPECT_EQ(losses[i].error_squares, expected[i].error_squares) << i;
      EXPECT_EQ(losses[i].value_squares, expected[i].value_squares) << i;
    }
  }
}

}  // namespace
}  // namespace hf2mlx
