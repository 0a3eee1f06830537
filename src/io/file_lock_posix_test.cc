#include "io/file_lock_posix.h"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>

#include "base/temp_folder.h"

namespace hf2mlx {
namespace {

struct GiveUp {};

TEST(FileLock, OneAtATime) {
  const TempFolder folder;
  const auto never = [] { FAIL() << "waits for nobody"; };
  std::optional<FileLock> first(std::in_place, folder / "a/b.lock", never);
  EXPECT_THROW(FileLock(folder / "a/b.lock", [] { throw GiveUp(); }), GiveUp);
  const FileLock other(folder / "a/c.lock", never);
  int waits = 0;
  const FileLock second(folder / "a/b.lock", [&] {
    if (++waits == 3) first.reset();
  });
  EXPECT_EQ(waits, 3);
  EXPECT_EQ(folder.names("a"), (std::set<std::string>{"b.lock", "c.lock"}));
}

TEST(FileLock, WhoeverLocksADeletedFileLocksItsSuccessor) {
  const TempFolder folder;
  std::optional<FileLock> first(std::in_place, folder / "x.lock", [] {});
  const FileLock second(folder / "x.lock", [&] {
    std::filesystem::remove(folder / "x.lock");
    first.reset();
  });
  EXPECT_THROW(FileLock(folder / "x.lock", [] { throw GiveUp(); }), GiveUp);
}

}  // namespace
}  // namespace hf2mlx
