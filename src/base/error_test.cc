#include "hf2mlx/error.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/bytes.h"
#include "base/system_error.h"

namespace hf2mlx {
namespace {

TEST(Error, CodesHaveNamesAndExitStatuses) {
  EXPECT_EQ(name_of(ErrorCode::kUsage), "usage");
  EXPECT_EQ(name_of(ErrorCode::kNotFound), "not_found");
  EXPECT_EQ(name_of(ErrorCode::kUnsupported), "unsupported");
  EXPECT_EQ(name_of(ErrorCode::kCorrupt), "corrupt");
  EXPECT_EQ(name_of(ErrorCode::kIo), "io");
  EXPECT_EQ(name_of(ErrorCode::kNoSpace), "no_space");
  EXPECT_EQ(name_of(ErrorCode::kNetwork), "network");
  EXPECT_EQ(name_of(ErrorCode::kAuth), "auth");
  EXPECT_EQ(name_of(ErrorCode::kInternal), "internal");
  EXPECT_EQ(name_of(ErrorCode::kCancelled), "cancelled");
  EXPECT_EQ(Error(ErrorCode::kNoSpace, "x").exit_status(), 7);
  EXPECT_EQ(Error(ErrorCode::kCancelled, "x").exit_status(), 130);
}

TEST(SystemError, KeepsTheTextAndChoosesTheCode) {
  const Error full = system_error(ENOSPC, "/out/a: cannot write");
  EXPECT_STREQ(full.what(), "/out/a: cannot write: No space left on device");
  EXPECT_EQ(full.code(), ErrorCode::kNoSpace);
  EXPECT_EQ(full.hint(), "free some space or choose another disk");
  EXPECT_EQ(system_error(ENOENT, "x").code(), ErrorCode::kNotFound);
  EXPECT_EQ(system_error(EIO, "x").code(), ErrorCode::kIo);
  EXPECT_EQ(system_error(EIO, "x", "other").hint(), "other");
  EXPECT_NO_THROW(throw_if({}, "x"));
  EXPECT_THROW(throw_if(std::make_error_code(std::errc::io_error), "x"), Error);
}

TEST(Bytes, OverflowIsNoValue) {
  EXPECT_EQ(checked_add(UINT64_MAX - 1, 1), UINT64_MAX);
  EXPECT_EQ(checked_add(UINT64_MAX, 1), std::nullopt);
  EXPECT_EQ(checked_multiply(1ull << 32, (1ull << 32) - 1), UINT64_MAX - UINT32_MAX);
  EXPECT_EQ(checked_multiply(1ull << 32, 1ull << 32), std::nullopt);
}

}  // namespace
}  // namespace hf2mlx
