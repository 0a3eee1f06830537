#include "transform/scratch.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

TEST(ScratchTest, BlocksAreAlignedDisjointAndGivenBack) {
  Scratch scratch(1000);
  EXPECT_EQ(scratch.free_bytes(), 1024u);
  {
    Scratch::Block a(scratch, 1);
    Scratch::Block b(scratch, 130);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(a.data()) % 64, 0u);
    EXPECT_EQ(b.data(), a.data() + 64);
    EXPECT_EQ(b.span().size(), 130u);
    EXPECT_EQ(scratch.free_bytes(), 1024u - 64 - 192);
  }
  EXPECT_EQ(scratch.free_bytes(), 1024u);
}

TEST(ScratchTest, ExhaustionIsAnErrorAndTakesNothing) {
  Scratch scratch(256);
  std::optional<Scratch::Block> all(std::in_place, scratch, 256);
  try {
    Scratch::Block more(scratch, 1);
    FAIL() << "a block was taken from an exhausted scratch";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInternal);
  }
  all.reset();
  EXPECT_EQ(scratch.free_bytes(), 256u);
}

}  // namespace
}  // namespace hf2mlx
