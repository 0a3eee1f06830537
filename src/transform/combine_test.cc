#include "transform/test_support.h"

namespace hf2mlx {
namespace {

using testing::Array;
using testing::expect_error;
using testing::expect_tensor;
using testing::from_floats;
using testing::random_bytes;
using testing::stored;
using testing::to_floats;

// Rows of `outer` parts joined: what concatenation along an axis is once all axes before it are one.
Array joined(const std::vector<Array>& parts, uint64_t outer, Shape shape) {
  Array result{parts[0].dtype, std::move(shape), {}};
  for (uint64_t i = 0; i < outer; ++i) {
    for (const Array& part : parts) {
      const auto run = static_cast<std::ptrdiff_t>(part.bytes.size() / outer);
      const auto from = part.bytes.begin() + run * static_cast<std::ptrdiff_t>(i);
      result.bytes.insert(result.bytes.end(), from, from + run);
    }
  }
  return result;
}

TEST(ConcatTest, AlongEveryAxis) {
  const std::vector<Array> rows = {random_bytes(Dtype::kBF16, {2, 5}, 1), random_bytes(Dtype::kBF16, {7, 5}, 2),
                                   random_bytes(Dtype::kBF16, {1, 5}, 3)};
  expect_tensor(ops::concat({stored(rows[0]), stored(rows[1]), stored(rows[2])}, 0), joined(rows, 1, {10, 5}));
  const std::vector<Array> cols = {random_bytes(Dtype::kF32, {3, 4, 5}, 1), random_bytes(Dtype::kF32, {3, 4, 2}, 2)};
  expect_tensor(ops::concat({stored(cols[0]), stored(cols[1])}, -1), joined(cols, 12, {3, 4, 7}));
  const std::vector<Array> middle = {random_bytes(Dtype::kU8, {3, 4, 5}, 1), random_bytes(Dtype::kU8, {3, 0, 5}, 2),
                                     random_bytes(Dtype::kU8, {3, 9, 5}, 3)};
  expect_tensor(ops::concat({stored(middle[0]), stored(middle[1]), stored(middle[2])}, 1), joined(middle, 3, {3, 13, 5}));
}

TEST(ConcatTest, OneTensorIsItself) {
  const TensorRef t = stored(random_bytes(Dtype::kU8, {3}, 1));
  EXPECT_EQ(ops::concat({t}, 0), t);
}

TEST(ConcatTest, UnlikePartsAreErrors) {
  const TensorRef t = stored(random_bytes(Dtype::kU8, {3, 4}, 1));
  expect_error(ErrorCode::kCorrupt, [&] { ops::concat({t, stored(random_bytes(Dtype::kU8, {3, 5}, 1))}, 0); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::concat({t, stored(random_bytes(Dtype::kI8, {3, 4}, 1))}, 0); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::concat({t, stored(random_bytes(Dtype::kU8, {12}, 1))}, 0); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::concat({t, t}, 2); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::concat({}, 0); });
}

TEST(StackTest, HundredsOfExperts) {
  std::vector<Array> arrays;
  std::vector<TensorRef> experts;
  for (uint32_t e = 0; e < 300; ++e) {
    arrays.push_back(random_bytes(Dtype::kU8, {3, 7}, e));
    experts.push_back(stored(arrays.back()));
  }
  expect_tensor(ops::stack(experts), joined(arrays, 1, {300, 3, 7}));
  expect_tensor(ops::slice(ops::stack(experts), 0, 5, 6), {Dtype::kU8, {1, 3, 7}, arrays[5].bytes});
  expect_error(ErrorCode::kCorrupt, [&] { ops::stack({experts[0], stored(random_bytes(Dtype::kU8, {7, 3}, 1))}); });
}

// As mx.stack and mx.concatenate promote them, half and bfloat16 without float32 included.
TEST(StackTest, FloatsOfSeveralTypesBecomeF32) {
  const Array half = from_floats(Dtype::kF16, {2}, {1.5f, 65504});
  const Array brain = from_floats(Dtype::kBF16, {2}, {-3e38f, 0.1f});
  const float tenth = to_floats(brain)[1];
  const float low = to_floats(brain)[0];
  expect_tensor(ops::stack({stored(half), stored(brain)}), from_floats(Dtype::kF32, {2, 2}, {1.5f, 65504, low, tenth}));
  expect_tensor(ops::concat({stored(brain), stored(half)}, 0), from_floats(Dtype::kF32, {4}, {low, tenth, 1.5f, 65504}));
  expect_error(ErrorCode::kCorrupt, [&] { ops::stack({stored(half), stored(random_bytes(Dtype::kU8, {2}, 1))}); });
}

TEST(StackTest, OfOneAndOfScalars) {
  const Array a = random_bytes(Dtype::kF32, {2, 2}, 1);
  expect_tensor(ops::stack({stored(a)}), {Dtype::kF32, {1, 2, 2}, a.bytes});
  const std::vector<Array> scalars = {random_bytes(Dtype::kF32, {}, 1), random_bytes(Dtype::kF32, {}, 2)};
  expect_tensor(ops::stack({stored(scalars[0]), stored(scalars[1])}), joined(scalars, 1, {2}));
}

TEST(StackTest, EachExpertKeepsItsPlaceInItsFile) {
  const TensorRef a = stored(random_bytes(Dtype::kU16, {3, 4}, 1));
  const TensorRef b = stored(random_bytes(Dtype::kU16, {3, 4}, 2));
  const TensorRef both = ops::stack({a, b});
  EXPECT_FALSE(both->extent());
  const std::optional<FileExtent> first = both->stored_at(2, 22);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->file, a->extent()->file);
  EXPECT_EQ(first->offset_bytes, 24u + 4);
  EXPECT_EQ(first->size_bytes, 20u);
  const std::optional<FileExtent> second = both->stored_at(12, 12);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->file, b->extent()->file);
  EXPECT_EQ(second->size_bytes, 24u);
}

}  // namespace
}  // namespace hf2mlx
