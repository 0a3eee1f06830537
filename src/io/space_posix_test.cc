#include "io/space_posix.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_error.h"
#include "base/temp_folder.h"

namespace hf2mlx {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::StartsWith;

TEST(FreeSpace, OfAFolderThatIsYetToBeMade) {
  const TempFolder folder;
  EXPECT_GT(free_space(folder / "a/b/c"), 0u);
  EXPECT_GT(free_space("relative"), 0u);
}

TEST(CheckSpace, AddsUpWhatGoesToOneDisk) {
  const TempFolder folder;
  folder.put("b/x");
  const uint64_t most = free_space(folder.path()) / 4 * 3;  // others write meanwhile
  check_space({}, "");
  check_space({{folder / "a/out", most}}, "");
  const Error error = error_of([&] { check_space({{folder / "a/out", most}, {folder / "b", most + 1}}, "buy a disk"); });
  EXPECT_THAT(error, IsError(ErrorCode::kNoSpace, AllOf(StartsWith((folder / "a/out").string() + ": "),
                                                        EndsWith(fmt::format(" bytes are free, {} are needed", 2 * most + 1)))));
  EXPECT_EQ(error.hint(), "buy a disk");
}

}  // namespace
}  // namespace hf2mlx
