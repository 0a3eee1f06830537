// Both forms of an importance matrix, byte for byte, and files that want to do harm.
#include "imatrix/imatrix.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/expect_error.h"
#include "imatrix/gguf.h"
#include "io/text_reader.h"
#include "transform/scratch.h"

namespace hf2mlx {
namespace {

using testing::HasSubstr;

// Puts a file together from numbers and strings.
struct Bytes {
  std::string text;
  template <class T>
  Bytes& add(T value) {
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Bytes& raw(std::string_view s) {
    text += s;
    return *this;
  }
  Bytes& string(std::string_view s) { return add(uint64_t{s.size()}).raw(s); }
  Bytes& floats(std::initializer_list<float> values) {
    for (float v : values) add(v);
    return *this;
  }
};

constexpr uint32_t kU32 = 4, kString = 8, kArray = 9;

Bytes gguf_head(uint64_t tensors, uint64_t pairs) { return Bytes().raw("GGUF").add(uint32_t{3}).add(tensors).add(pairs); }

Bytes& tensor(Bytes& b, std::string_view name, std::initializer_list<uint64_t> extents, uint64_t offset, uint32_t type = 0) {
  b.string(name).add(static_cast<uint32_t>(extents.size()));
  for (uint64_t n : extents) b.add(n);
  return b.add(type).add(offset);
}

// Two experts of three columns, the second never called; and one plain layer.
std::string small_gguf() {
  Bytes b = gguf_head(4, 4);
  b.string("general.type").add(kString).string("imatrix");
  b.string("imatrix.datasets").add(kArray).add(kString).add(uint64_t{2}).string("a.txt").string("b.txt");
  b.string("imatrix.chunk_count").add(kU32).add(uint32_t{7});
  b.string("general.alignment").add(kU32).add(uint32_t{64});
  tensor(b, "blk.0.ffn_up_exps.weight.in_sum2", {3, 2}, 0);
  tensor(b, "blk.0.ffn_up_exps.weight.counts", {1, 2}, 64);
  tensor(b, "blk.0.attn_q.weight.in_sum2", {3, 1}, 128);
  tensor(b, "blk.0.attn_q.weight.counts", {1, 1}, 192);
  b.text.resize((b.text.size() + 63) / 64 * 64);
  for (const auto& values : {std::initializer_list<float>{2, 4, 6, 0, 0, 0}, {2, 0}, {30, 60, 90}, {10}}) {
    b.floats(values);
    b.text.resize((b.text.size() + 63) / 64 * 64);
  }
  return b.text;
}

std::string small_legacy() {
  Bytes b;
  b.add(int32_t{1}).add(int32_t{5}).raw("blk.0").add(int32_t{4}).add(int32_t{6}).floats({4, 8, 12, 16, 20, 24});
  return b.add(int32_t{4}).add(int32_t{5}).raw("a.txt").text;
}

Imatrix imatrix(std::string bytes) { return Imatrix(std::make_shared<const TextReader>(std::move(bytes))); }

std::vector<float> read(const TensorRef& t) {
  std::vector<float> out(element_count(t->shape()));
  Scratch scratch(1024);
  t->read(0, out.size(), reinterpret_cast<std::byte*>(out.data()), scratch);
  return out;
}

TEST(ImatrixTest, GgufHoldsSumsAndCountsForEachMatrix) {
  const Imatrix m = imatrix(small_gguf());
  const TensorRef experts = m.means("blk.0.ffn_up_exps.weight", 2, 3);
  EXPECT_EQ(experts->shape(), (Shape{2, 3}));
  EXPECT_EQ(read(experts), (std::vector<float>{1, 2, 3, 1, 1, 1}));
  EXPECT_EQ(read(m.means("blk.0.attn_q.weight", 1, 3)), (std::vector<float>{3, 6, 9}));
}

TEST(ImatrixTest, TheOlderFormHoldsMeansTimesCalls) {
  const Imatrix m = imatrix(small_legacy());
  EXPECT_EQ(read(m.means("blk.0", 1, 6)), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(m.means("blk.0", 2, 3)->shape(), (Shape{2, 3}));
}

TEST(ImatrixTest, APartOfATensorIsReadAsSuch) {
  const TensorRef t = imatrix(small_gguf()).means("blk.0.ffn_up_exps.weight", 2, 3);
  float out[2];
  Scratch scratch(1024);
  t->read(2, 2, reinterpret_cast<std::byte*>(out), scratch);
  EXPECT_EQ(out[0], 3);
  EXPECT_EQ(out[1], 1);
}

TEST(ImatrixTest, OneRowMayBeForAllMatrices) {
  EXPECT_EQ(imatrix(small_gguf()).means("blk.0.attn_q.weight", 8, 3)->shape(), (Shape{1, 3}));
}

TEST(ImatrixTest, SizesThatDoNotFitGiveNothing) {
  const Imatrix m = imatrix(small_gguf());
  EXPECT_EQ(m.means("blk.0.ffn_up_exps.weight", 2, 4), nullptr);
  EXPECT_EQ(m.means("blk.0.ffn_up_exps.weight", 3, 2), nullptr);
  EXPECT_EQ(m.means("blk.0.attn_q.weight", 1, 6), nullptr);
  EXPECT_EQ(m.means("blk.1.attn_q.weight", 1, 3), nullptr);
}

TEST(ImatrixTest, WhatIsNoSumOfSquaresIsAnError) {
  for (const float bad : {-1.0f, std::numeric_limits<float>::infinity(), std::nanf("")}) {
    Bytes b;
    b.add(int32_t{1}).add(int32_t{5}).raw("blk.0").add(int32_t{1}).add(int32_t{2}).floats({1, bad});
    const Imatrix m = imatrix(b.text);
    EXPECT_THAT(error_of([&] { read(m.means("blk.0", 1, 2)); }), IsError(ErrorCode::kCorrupt, HasSubstr("blk.0 holds")));
  }
}

// Every beginning of a good file is an error, and none reads beyond its end.
TEST(ImatrixTest, CutFilesAreErrors) {
  const std::string legacy = small_legacy();
  const size_t values_end = legacy.size() - 13;
  for (size_t n = 0; n < values_end; ++n) EXPECT_THROW(imatrix(legacy.substr(0, n)), Error) << n;
  const std::string gguf = small_gguf();
  for (size_t n = 0; n < gguf.size() - 60; ++n) EXPECT_THROW(imatrix(gguf.substr(0, n)), Error) << n;
}

TEST(ImatrixTest, CountsAreNotBelieved) {
  EXPECT_THAT(error_of([] { imatrix(gguf_head(UINT64_MAX, 0).text); }), IsError(ErrorCode::kCorrupt, HasSubstr("more than")));
  EXPECT_THAT(error_of([] { imatrix(gguf_head(0, UINT64_MAX).text); }), IsError(ErrorCode::kCorrupt, HasSubstr("more than")));
  Bytes strings = gguf_head(0, 1);
  strings.string("k").add(kArray).add(kString).add(UINT64_MAX);
  EXPECT_THAT(error_of([&] { imatrix(strings.text); }), IsError(ErrorCode::kCorrupt, HasSubstr("more than")));
  Bytes long_name = gguf_head(1, 0);
  long_name.add(UINT64_MAX).raw(std::string(64, 'x'));
  EXPECT_THAT(error_of([&] { imatrix(long_name.text); }), IsError(ErrorCode::kCorrupt, HasSubstr("at most 65536")));
  Bytes legacy;
  legacy.add(int32_t{1}).add(int32_t{1}).raw("x").add(int32_t{1}).add(std::numeric_limits<int32_t>::max());
  EXPECT_THROW(imatrix(legacy.text), Error);
}

TEST(ImatrixTest, TensorsBeyondTheEndAreErrors) {
  for (const uint64_t extent : {uint64_t{1} << 40, UINT64_MAX}) {
    Bytes b = gguf_head(1, 0);
    tensor(b, "x.in_sum2", {extent, 4}, 0);
    b.raw(std::string(64, '\0'));
    EXPECT_THROW(imatrix(b.text), Error);
  }
  Bytes b = gguf_head(1, 0);
  tensor(b, "x.in_sum2", {1}, UINT64_MAX);
  b.raw(std::string(64, '\0'));
  EXPECT_THROW(imatrix(b.text), Error);
}

TEST(ImatrixTest, AModelIsNoImatrix) {
  Bytes b = gguf_head(1, 1);
  b.string("general.type").add(kString).string("model");
  tensor(b, "blk.0.attn_q.weight", {32}, 0, 2);
  EXPECT_THAT(error_of([&] { imatrix(b.text); }), IsError(ErrorCode::kUnsupported, HasSubstr("type 'model'")));
}

TEST(ImatrixTest, OldVersionsAndBadAlignmentsAreErrors) {
  const std::string v1 = Bytes().raw("GGUF").add(uint32_t{1}).add(uint64_t{0}).add(uint64_t{0}).text;
  EXPECT_THAT(error_of([&] { imatrix(v1); }), IsError(ErrorCode::kUnsupported, HasSubstr("version 1")));
  for (const uint32_t alignment : {0u, 48u, 1u << 30}) {
    Bytes b = gguf_head(0, 1);
    b.string("general.alignment").add(kU32).add(alignment);
    EXPECT_THAT(error_of([&] { imatrix(b.text); }), IsError(ErrorCode::kCorrupt, HasSubstr("alignment")));
  }
}

}  // namespace
}  // namespace hf2mlx
