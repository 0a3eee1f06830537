// Every change of layout against naive indexing, and chains of them on published shapes.
#include <numeric>

#include "transform/strided_view.h"
#include "transform/test_support.h"

namespace hf2mlx {
namespace {

using testing::Array;
using testing::expect_error;
using testing::expect_tensor;
using testing::gathered;
using testing::random_bytes;
using testing::stored;

Array permuted(const Array& a, const std::vector<size_t>& perm) {
  Shape shape;
  for (const size_t axis : perm) shape.push_back(a.shape[axis]);
  return gathered(a, shape, [&](const Shape& index) {
    Shape from(index.size());
    for (size_t i = 0; i < perm.size(); ++i) from[perm[i]] = index[i];
    return from;
  });
}

Array sliced(const Array& a, size_t axis, int64_t begin, uint64_t count, int64_t step) {
  Shape shape = a.shape;
  shape[axis] = count;
  return gathered(a, shape, [&](Shape index) {
    index[axis] = static_cast<uint64_t>(begin + static_cast<int64_t>(index[axis]) * step);
    return index;
  });
}

Array reshaped(Array a, Shape shape) {
  a.shape = std::move(shape);
  return a;
}

bool is_view_of_source(const TensorRef& t) { return dynamic_cast<const StridedView*>(layout_of(t).base.get()) == nullptr; }

TEST(LayoutTest, TransposesOfRandomShapes) {
  std::mt19937 random(1);
  const Dtype dtypes[] = {Dtype::kU8, Dtype::kBF16, Dtype::kF32, Dtype::kI64};
  for (uint32_t round = 0; round < 60; ++round) {
    Shape shape(1 + random() % 5);
    for (uint64_t& extent : shape) extent = 1 + random() % 17;
    const Array a = random_bytes(dtypes[round % 4], shape, round);
    std::vector<size_t> perm(shape.size());
    std::iota(perm.begin(), perm.end(), 0);
    std::shuffle(perm.begin(), perm.end(), random);
    SCOPED_TRACE(to_string(shape));
    expect_tensor(ops::transpose(stored(a), {perm.begin(), perm.end()}), permuted(a, perm));
  }
}

TEST(LayoutTest, TransposesWithRunsLongerAndShorterThanTheGap) {
  const Array wide = random_bytes(Dtype::kBF16, {70, 2600}, 1);
  expect_tensor(ops::swapaxes(stored(wide), 0, 1), permuted(wide, {1, 0}));
  expect_tensor(ops::slice(ops::swapaxes(stored(wide), 0, 1), 0, 100, 135), permuted(sliced(wide, 1, 100, 35, 1), {1, 0}));
  const Array tall = random_bytes(Dtype::kU8, {6000, 33}, 2);
  expect_tensor(ops::swapaxes(stored(tall), 0, 1), permuted(tall, {1, 0}));
  const Array stack = random_bytes(Dtype::kF32, {3, 65, 1200}, 3);
  expect_tensor(ops::swapaxes(stored(stack), -1, -2), permuted(stack, {0, 2, 1}));
  expect_tensor(ops::swapaxes(stored(stack), 0, 1), permuted(stack, {1, 0, 2}));
}

TEST(LayoutTest, SlicesAsPythonCounts) {
  const Array a = random_bytes(Dtype::kU16, {4, 9, 11}, 1);
  const TensorRef t = stored(a);
  expect_tensor(ops::slice(t, 0, 1, 3), sliced(a, 0, 1, 2, 1));
  expect_tensor(ops::slice(t, 1, -3, ops::kEnd), sliced(a, 1, 6, 3, 1));
  expect_tensor(ops::slice(t, 1, 0, -2), sliced(a, 1, 0, 7, 1));
  expect_tensor(ops::slice(t, -1, 0, ops::kEnd, 2), sliced(a, 2, 0, 6, 2));
  expect_tensor(ops::slice(t, -1, 1, 100, 2), sliced(a, 2, 1, 5, 2));
  expect_tensor(ops::slice(t, -2, 1, 8, 3), sliced(a, 1, 1, 3, 3));
  expect_tensor(ops::slice(t, 2, ops::kEnd, ops::kBegin, -1), sliced(a, 2, 10, 11, -1));
  expect_tensor(ops::slice(t, 1, -2, 1, -2), sliced(a, 1, 7, 3, -2));
  expect_tensor(ops::slice(ops::slice(t, 1, 2, 9), 1, 1, 5, 2), sliced(a, 1, 3, 2, 2));
  EXPECT_EQ(ops::slice(t, 1, 5, 5)->shape(), (Shape{4, 0, 11}));
  EXPECT_EQ(ops::slice(t, 1, 7, 2)->shape(), (Shape{4, 0, 11}));
  expect_tensor(ops::slice(t, 0, 3, 1), {Dtype::kU16, {0, 9, 11}, {}});
}

TEST(LayoutTest, StridedHalvesOfWideRows) {
  const Array rows = random_bytes(Dtype::kU8, {2, 26, 5000}, 1);
  expect_tensor(ops::slice(stored(rows), -2, 1, ops::kEnd, 2), sliced(rows, 1, 1, 13, 2));
  expect_tensor(ops::slice(stored(rows), -1, 2500, 5000), sliced(rows, 2, 2500, 2500, 1));
  const Array cols = random_bytes(Dtype::kF16, {30, 3000}, 2);
  expect_tensor(ops::slice(stored(cols), -1, 0, 1500), sliced(cols, 1, 0, 1500, 1));
  expect_tensor(ops::slice(stored(cols), -1, 1, ops::kEnd, 2), sliced(cols, 1, 1, 1500, 2));
  expect_tensor(ops::slice(stored(cols), -1, 7, ops::kEnd, 2500), sliced(cols, 1, 7, 2, 2500));
}

TEST(LayoutTest, TakeRemovesTheAxis) {
  const Array a = random_bytes(Dtype::kF32, {5, 6, 7}, 1);
  expect_tensor(ops::take(stored(a), 0, 2), reshaped(sliced(a, 0, 2, 1, 1), {6, 7}));
  expect_tensor(ops::take(stored(a), 1, -1), reshaped(sliced(a, 1, 5, 1, 1), {5, 7}));
  expect_tensor(ops::take(stored(a), -1, 0), reshaped(sliced(a, 2, 0, 1, 1), {5, 6}));
  expect_error(ErrorCode::kCorrupt, [&] { ops::take(stored(a), 0, 5); });
}

TEST(LayoutTest, ReshapeInfersOneExtent) {
  const Array a = random_bytes(Dtype::kU8, {6, 10}, 1);
  expect_tensor(ops::reshape(stored(a), {3, ops::kInferred, 5}), reshaped(a, {3, 4, 5}));
  expect_tensor(ops::reshape(ops::slice(stored(a), 0, 2, 3), {10}), {Dtype::kU8, {10}, {a.bytes.begin() + 20, a.bytes.begin() + 30}});
  expect_error(ErrorCode::kCorrupt, [&] { ops::reshape(stored(a), {7, ops::kInferred}); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::reshape(stored(a), {6, 11}); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::reshape(stored(a), {ops::kInferred, ops::kInferred}); });
  const Array scalar = random_bytes(Dtype::kF32, {1}, 2);
  expect_tensor(ops::reshape(stored(scalar), {}), reshaped(scalar, {}));
}

TEST(LayoutTest, RepeatAndBroadcast) {
  const Array a = random_bytes(Dtype::kU8, {3, 5}, 1);
  expect_tensor(ops::repeat(stored(a), 0, 4), gathered(a, {12, 5}, [](const Shape& i) { return Shape{i[0] / 4, i[1]}; }));
  expect_tensor(ops::repeat(stored(a), -1, 3), gathered(a, {3, 15}, [](const Shape& i) { return Shape{i[0], i[1] / 3}; }));
  expect_tensor(ops::broadcast(stored(reshaped(a, {3, 1, 5})), {2, 3, 4, 5}), gathered(a, {2, 3, 4, 5}, [](const Shape& i) {
                  return Shape{i[1], i[3]};
                }));
  expect_tensor(ops::slice(ops::repeat(stored(a), -2, 32), -2, 0, 70), gathered(a, {70, 5}, [](const Shape& i) {
                  return Shape{i[0] / 32, i[1]};
                }));
  const Array wide = random_bytes(Dtype::kF32, {3, 3000}, 2);
  expect_tensor(ops::repeat(stored(wide), 0, 5), gathered(wide, {15, 3000}, [](const Shape& i) { return Shape{i[0] / 5, i[1]}; }));
  expect_error(ErrorCode::kCorrupt, [&] { ops::broadcast(stored(a), {3, 6}); });
}

TEST(LayoutTest, AxesOutOfRangeAreErrors) {
  const TensorRef t = stored(random_bytes(Dtype::kU8, {2, 3}, 1));
  expect_error(ErrorCode::kCorrupt, [&] { ops::swapaxes(t, 0, 2); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::moveaxis(t, -3, 0); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::transpose(t, {0, 0}); });
  expect_error(ErrorCode::kCorrupt, [&] { ops::transpose(t, {1}); });
}

// q and k rows for neighbouring rotary pairs: [heads, 2, half, cols] -> [heads, half, 2, cols].
TEST(LayoutTest, RowInterleave) {
  for (const uint64_t cols : {24u, 2304u}) {
    const Array a = random_bytes(Dtype::kBF16, {4 * 16, cols}, 1);
    const TensorRef t = ops::reshape(ops::swapaxes(ops::reshape(stored(a), {ops::kInferred, 2, 8, cols}), 1, 2), a.shape);
    expect_tensor(t, gathered(a, a.shape, [](const Shape& i) { return Shape{i[0] / 16 * 16 + i[0] % 16 / 2 + i[0] % 2 * 8, i[1]}; }));
  }
}

// kv_b of multi-head latent attention: [heads * (nope + v), rank], of which each head's first rows are transposed.
TEST(LayoutTest, LatentAttentionSplit) {
  const uint64_t heads = 3, nope = 20, v = 12, rank = 2100;
  const Array a = random_bytes(Dtype::kBF16, {heads * (nope + v), rank}, 1);
  const TensorRef by_head = ops::reshape(stored(a), {heads, nope + v, rank});
  const TensorRef embed_q = ops::swapaxes(ops::slice(by_head, 1, 0, nope), -1, -2);
  EXPECT_TRUE(is_view_of_source(embed_q));
  expect_tensor(embed_q, gathered(a, {heads, rank, nope}, [](const Shape& i) { return Shape{i[0] * 32 + i[2], i[1]}; }));
  expect_tensor(ops::slice(by_head, 1, nope, ops::kEnd), gathered(a, {heads, v, rank}, [](const Shape& i) {
                  return Shape{i[0] * 32 + 20 + i[1], i[2]};
                }));
}

TEST(LayoutTest, ChainsBecomeOneViewOrNone) {
  const TensorRef t = stored(random_bytes(Dtype::kBF16, {8, 1, 4}, 1));
  const TensorRef conv = ops::moveaxis(t, 2, 1);
  EXPECT_EQ(conv->shape(), (Shape{8, 4, 1}));
  EXPECT_TRUE(conv->extent().has_value());
  EXPECT_EQ(ops::reshape(ops::reshape(t, {32}), {8, 1, 4}), t);
  EXPECT_EQ(ops::swapaxes(ops::swapaxes(t, 0, 2), 0, 2), t);
  EXPECT_EQ(ops::slice(t, 0, 0, 8), t);
  EXPECT_TRUE(is_view_of_source(ops::reshape(ops::slice(ops::reshape(t, {8, 4}), 0, 1, 7, 2), {3, 2, 2})));
}

TEST(LayoutTest, ContiguousPartsKeepTheirPlaceInTheFile) {
  const TensorRef t = stored(random_bytes(Dtype::kBF16, {6, 4, 10}, 1));
  const std::optional<FileExtent> whole = t->extent();
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->offset_bytes, 24u);
  EXPECT_EQ(whole->size_bytes, 480u);
  const std::optional<FileExtent> part = ops::reshape(ops::slice(t, 0, 2, 5), {3, 40})->extent();
  ASSERT_TRUE(part);
  EXPECT_EQ(part->file, whole->file);
  EXPECT_EQ(part->offset_bytes, 24u + 160);
  EXPECT_EQ(part->size_bytes, 240u);
  EXPECT_EQ(ops::view(part ? ops::slice(t, 0, 2, 5) : t, Dtype::kU32)->extent()->offset_bytes, 24u + 160);
  const TensorRef half = ops::slice(t, 1, 2, 4);
  EXPECT_FALSE(half->extent());
  const std::optional<FileExtent> run = half->stored_at(25, 1000);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->offset_bytes, 24u + 2 * (40 + 20 + 5));
  EXPECT_EQ(run->size_bytes, 30u);
  EXPECT_FALSE(ops::slice(t, 0, 1, 1)->extent());
  EXPECT_FALSE(ops::swapaxes(t, 1, 2)->extent());
}

TEST(ViewTest, BytesBecomeWordsAndBack) {
  const Array a = random_bytes(Dtype::kU8, {3, 8, 16}, 1);
  expect_tensor(ops::view(stored(a), Dtype::kU32), {Dtype::kU32, {3, 8, 4}, a.bytes});
  expect_tensor(ops::view(stored(a), Dtype::kI8), {Dtype::kI8, {3, 8, 16}, a.bytes});
  expect_tensor(ops::view(ops::view(stored(a), Dtype::kU32), Dtype::kU8), a);
  const TensorRef half = ops::view(ops::slice(stored(a), 1, 4, 8), Dtype::kU32);
  EXPECT_TRUE(is_view_of_source(half));
  const Array bytes = sliced(a, 1, 4, 4, 1);
  expect_tensor(half, {Dtype::kU32, {3, 4, 4}, bytes.bytes});
  const Array odd = sliced(a, 2, 2, 8, 1);
  expect_tensor(ops::view(ops::slice(stored(a), 2, 2, 10), Dtype::kU32), {Dtype::kU32, {3, 8, 2}, odd.bytes});
  const Array turned = permuted(a, {0, 2, 1});
  expect_tensor(ops::view(ops::swapaxes(stored(a), 1, 2), Dtype::kU32), {Dtype::kU32, {3, 16, 2}, turned.bytes});
}

TEST(ViewTest, WordsBecomeBytesUnderATranspose) {
  const Array a = random_bytes(Dtype::kI32, {7, 5}, 1);
  const Array turned = permuted(a, {1, 0});
  expect_tensor(ops::view(ops::swapaxes(stored(a), 0, 1), Dtype::kU8), {Dtype::kU8, {5, 28}, turned.bytes});
  expect_tensor(ops::view(ops::swapaxes(stored(a), 0, 1), Dtype::kU32), {Dtype::kU32, {5, 7}, turned.bytes});
  EXPECT_FALSE(ops::view(ops::swapaxes(stored(a), 0, 1), Dtype::kU8)->extent());
  const std::optional<FileExtent> run = ops::view(stored(a), Dtype::kU8)->stored_at(6, 100);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->offset_bytes, 24u + 6);
  EXPECT_EQ(run->size_bytes, 100u);
}

TEST(ViewTest, LastAxisMustDivide) {
  expect_error(ErrorCode::kCorrupt, [] { ops::view(stored(random_bytes(Dtype::kU8, {4, 6}, 1)), Dtype::kU32); });
  expect_error(ErrorCode::kCorrupt, [] { ops::view(stored(random_bytes(Dtype::kU8, {}, 1)), Dtype::kU16); });
}

TEST(LayoutTest, ScatteredViewsAskForLongReads) {
  const auto file = std::make_shared<testing::MemoryFile>(testing::Bytes(uint64_t{2048} * 4096 * 2));
  const TensorRef t = ops::source(file, Dtype::kBF16, {2048, 4096}, 0);
  EXPECT_EQ(t->preferred_count(), 0u);
  EXPECT_EQ(ops::slice(t, 1, 0, 2048)->preferred_count(), 0u);
  const TensorRef turned = ops::swapaxes(t, 0, 1);
  // 1 MiB is 256 of its rows: runs of 512 bytes.
  EXPECT_EQ(turned->preferred_count(), uint64_t{1} << 20);
  EXPECT_EQ(ops::cast(ops::stack({turned, turned}), Dtype::kF32)->preferred_count(), uint64_t{1} << 20);
  EXPECT_EQ(ops::view(turned, Dtype::kI16)->preferred_count(), uint64_t{1} << 20);
}

// A file of [16, 5120, 16384] bf16 whose bytes follow from their offset.
class GeneratedFile final : public Reader {
 public:
  void read_at(uint64_t offset, std::span<std::byte> out) const override {
    ASSERT_EQ(offset % 2, 0u);
    for (size_t i = 0; i < out.size(); i += 2) {
      const uint16_t value = value_at((offset + i) / 2);
      std::memcpy(out.data() + i, &value, 2);
    }
    ++reads;
  }
  uint64_t size() const override { return uint64_t{16} * 5120 * 16384 * 2; }
  const std::string& name() const override { return name_; }
  static uint16_t value_at(uint64_t element) { return static_cast<uint16_t>(element * 40503 >> 7); }
  mutable uint64_t reads = 0;

 private:
  const std::string name_ = "generated";
};

TEST(LayoutTest, HalvesOfPublishedExpertsTransposeInBoundedMemory) {
  const auto file = std::make_shared<GeneratedFile>();
  const TensorRef fused = ops::source(file, Dtype::kBF16, {16, 5120, 16384}, 0);
  const TensorRef up = ops::swapaxes(ops::slice(fused, -1, 8192, ops::kEnd), 1, 2);
  ASSERT_EQ(up->shape(), (Shape{16, 8192, 5120}));
  Scratch scratch(8 << 20);
  std::vector<uint16_t> block(uint64_t{100} * 5120);
  for (const uint64_t row : {uint64_t{0}, uint64_t{8192} * 7 + 4000, uint64_t{8192} * 16 - 100}) {
    file->reads = 0;
    up->read(row * 5120, block.size(), reinterpret_cast<std::byte*>(block.data()), scratch);
    EXPECT_EQ(file->reads, 5120u);
    for (uint64_t i = 0; i < block.size(); ++i) {
      const uint64_t at = row + i / 5120;
      ASSERT_EQ(block[i], GeneratedFile::value_at((at / 8192 * 5120 + i % 5120) * 16384 + 8192 + at % 8192));
    }
  }
}

}  // namespace
}  // namespace hf2mlx
