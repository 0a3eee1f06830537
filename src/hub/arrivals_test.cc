#include "hub/arrivals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf2mlx {
namespace {

using testing::ElementsAre;

constexpr uint64_t kBlock = Arrivals::kBlockBytes;

TEST(Arrivals, EachByteIsClaimedOnce) {
  Arrivals arrivals(3 * kBlock + 5);
  EXPECT_EQ(arrivals.claim(1), (ByteRange{0, kBlock}));
  EXPECT_EQ(arrivals.claim(kBlock + 1), (ByteRange{kBlock, 3 * kBlock}));
  EXPECT_EQ(arrivals.claim(kBlock), (ByteRange{3 * kBlock, 3 * kBlock + 5}));
  EXPECT_TRUE(arrivals.claim(1).is_empty());
  EXPECT_FALSE(arrivals.is_whole());
}

TEST(Arrivals, WhatIsReleasedIsClaimedAgainWithoutWhatHasArrived) {
  Arrivals arrivals(3 * kBlock);
  ByteRange range = arrivals.claim(2 * kBlock);
  EXPECT_EQ(arrivals.add(0, kBlock + 7), (ByteRange{0, 2}));
  range.begin_bytes += kBlock + 7;
  EXPECT_EQ(arrivals.claim(3 * kBlock), (ByteRange{2 * kBlock, 3 * kBlock}));
  arrivals.release(range);
  EXPECT_EQ(arrivals.claim(3 * kBlock), (ByteRange{kBlock + 7, 2 * kBlock}));
  EXPECT_EQ(arrivals.arrived_bytes(), kBlock + 7);
  EXPECT_THAT(arrivals.counts(), ElementsAre(kBlock, 7, 0));
}

TEST(Arrivals, AClaimEndsBeforeWhatHasArrived) {
  Arrivals arrivals = *Arrivals::from_counts(4 * kBlock, std::vector<uint32_t>{0, 0, 5, 0});
  EXPECT_EQ(arrivals.claim(4 * kBlock), (ByteRange{0, 2 * kBlock}));
  EXPECT_EQ(arrivals.claim(4 * kBlock), (ByteRange{2 * kBlock + 5, 4 * kBlock}));
}

TEST(Arrivals, EndOfWhatHasArrivedWithoutAGap) {
  const Arrivals arrivals = *Arrivals::from_counts(2 * kBlock + 9, std::vector<uint32_t>{kBlock, 6, 9});
  EXPECT_EQ(arrivals.end_of_arrived(0), kBlock + 6);
  EXPECT_EQ(arrivals.end_of_arrived(kBlock + 6), kBlock + 6);
  EXPECT_EQ(arrivals.end_of_arrived(2 * kBlock + 1), 2 * kBlock + 9);
  EXPECT_EQ(arrivals.end_of_arrived(2 * kBlock + 9), 2 * kBlock + 9);
}

TEST(Arrivals, IsWholeWhenAllHasArrived) {
  Arrivals arrivals(kBlock + 1);
  arrivals.claim(2 * kBlock);
  arrivals.add(0, kBlock);
  EXPECT_FALSE(arrivals.is_whole());
  EXPECT_EQ(arrivals.add(kBlock, 1), (ByteRange{1, 2}));
  EXPECT_TRUE(arrivals.is_whole());
  EXPECT_TRUE(arrivals.claim(1).is_empty());
  EXPECT_TRUE(Arrivals(0).is_whole());
}

TEST(Arrivals, CountsThatCannotBe) {
  EXPECT_FALSE(Arrivals::from_counts(kBlock + 1, std::vector<uint32_t>{kBlock, 2}));
  EXPECT_FALSE(Arrivals::from_counts(kBlock + 1, std::vector<uint32_t>{kBlock}));
  EXPECT_FALSE(Arrivals::from_counts(kBlock, std::vector<uint32_t>{0, 0}));
  EXPECT_TRUE(Arrivals::from_counts(0, std::vector<uint32_t>{}));
}

}  // namespace
}  // namespace hf2mlx
