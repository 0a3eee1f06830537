// Blocks of tensors that lie in two files in an order of their own.
#include "pipeline/source_order.h"

#include <gtest/gtest.h>

#include <array>

#include "transform/test_support.h"

namespace hf2mlx {
namespace {

// Has a size, and only notes what is read.
class FarFile final : public Reader {
 public:
  void read_at(uint64_t offset, std::span<std::byte> out) const override {
    ASSERT_NE(ReadTrace::current(), nullptr);
    ReadTrace::current()->notes.push_back({this, offset, out.size()});
    std::fill(out.begin(), out.end(), std::byte{0});
  }
  uint64_t size() const override { return 1 << 20; }
  const std::string& name() const override { return name_; }

 private:
  const std::string name_ = "far";
};

using Spans = std::vector<std::array<uint64_t, 3>>;

Spans spans_of(const BlockSource& source) {
  Spans spans;
  for (const FileSpan& span : source.spans) spans.push_back({span.file, span.begin_bytes, span.end_bytes});
  return spans;
}

class SourceOrderTest : public ::testing::Test {
 protected:
  TensorRef stored(uint32_t file, uint64_t offset, const Shape& shape, Dtype dtype = Dtype::kF32) {
    tensors_.push_back({"t", dtype, shape, files_[file], offset, element_count(shape) * size_of(dtype)});
    return ops::source(files_[file], dtype, shape, offset);
  }

  BlockSource find(const TensorRef& value, uint64_t begin, uint64_t count, uint64_t near_bytes = 1 << 20) {
    const Step step{value, std::nullopt, 0};
    const Use use{&step, 0};
    return SourceOrder(tensors_, {files_[0].get(), files_[1].get()}, near_bytes).find({{&use, 1}, begin, count});
  }

  static uint64_t place(uint64_t file, uint64_t offset) { return (file << 48) + offset; }

  const std::vector<std::shared_ptr<FarFile>> files_ = {std::make_shared<FarFile>(), std::make_shared<FarFile>()};
  std::vector<StoredTensor> tensors_;
};

TEST_F(SourceOrderTest, APartOfATensor) {
  const TensorRef value = stored(1, 1000, {10, 10});
  const BlockSource source = find(value, 20, 30);
  EXPECT_EQ(source.position, place(1, 1080));
  EXPECT_EQ(spans_of(source), (Spans{{1, 1080, 1200}}));
}

TEST_F(SourceOrderTest, ABlockOfSeveralExpertsIsWhereTheLastOfThemIs) {
  std::vector<TensorRef> experts;
  for (uint64_t i = 0; i < 5; ++i) experts.push_back(stored(i < 3 ? 1 : 0, 10'000 * (i + 1), {4, 5}));
  const BlockSource source = find(ops::stack(experts), 10, 80);
  EXPECT_EQ(source.position, place(1, 30'000));
  EXPECT_EQ(source.spans.size(), 5u);
  EXPECT_EQ(source.spans.front().begin_bytes, 10'040u);  // half of the first
}

TEST_F(SourceOrderTest, ColumnsTakeAllRows) {
  const TensorRef value = stored(0, 0, {100, 20});
  const BlockSource source = find(ops::swapaxes(value, 0, 1), 200, 100);  // the columns 2 and up
  EXPECT_EQ(spans_of(source), (Spans{{0, 8, 99 * 80 + 12}}));
}

TEST_F(SourceOrderTest, SmallTensorsThatLieFarAwayAreLeftOut) {
  const TensorRef large = stored(0, 400'000, {100, 100});
  const TensorRef factors = stored(0, 0, {100});
  const BlockSource all = find(ops::multiply_rows(large, factors), 0, 1000);
  EXPECT_EQ(all.position, place(0, 400'000));
  EXPECT_EQ(all.spans.size(), 2u);
  const BlockSource near = find(ops::multiply_rows(large, factors), 0, 1000, 1000);
  EXPECT_EQ(spans_of(near), (Spans{{0, 400'000, 404'000}}));
}

TEST_F(SourceOrderTest, WhatIsNotInTheFilesComesFirst) {
  const BlockSource source = find(ops::constant({1, 2, 3}, Dtype::kF32), 0, 3);
  EXPECT_EQ(source.position, 0u);
  EXPECT_TRUE(source.spans.empty());
}

}  // namespace
}  // namespace hf2mlx
