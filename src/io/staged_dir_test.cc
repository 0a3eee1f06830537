#include "io/staged_dir.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <csignal>
#include <memory>
#include <thread>
#include <vector>

#include "base/expect_error.h"
#include "base/temp_folder.h"
#include "io/exchange_posix.h"
#include "io/fd.h"
#include "io/file_posix.h"
#include "io/target_path.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// Runs `call` in a child process that then dies without any clean-up.
template <typename Call>
void die_after(const Call& call) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    call();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
}

void convert(const TempFolder& folder, Existing existing, const std::string& content) {
  StagedDir staged(folder / "out", existing);
  write_file(staged.path() / "config.json", content);
  staged.commit();
}

TEST(StagedDir, AppearsAtCommit) {
  const TempFolder folder;
  StagedDir staged(folder / "out", Existing::kRefuse);
  EXPECT_EQ(staged.target(), folder / "out");
  EXPECT_EQ(staged.path().parent_path(), folder.path());
  EXPECT_THAT(staged.path().filename().string(), StartsWith(".out.hf2mlx-partial-"));
  write_file(staged.path() / "config.json", "new");
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
  staged.commit();
  EXPECT_EQ(folder.text("out/config.json"), "new");
  EXPECT_THAT(folder.names(), ElementsAre("out"));
}

TEST(StagedDir, LeavesNothingWithoutCommit) {
  const TempFolder folder;
  {
    const StagedDir staged(folder / "a/b/out", Existing::kRefuse);
    write_file(staged.path() / "config.json", "new");
    EXPECT_THAT(folder.names(), ElementsAre("a"));
  }
  EXPECT_THAT(folder.names(), ElementsAre());
}

TEST(StagedDir, KeepsParentsThatHoldOtherThings) {
  const TempFolder folder;
  {
    const StagedDir staged(folder / "a/b/out", Existing::kRefuse);
    folder.put("a/other");
  }
  EXPECT_THAT(folder.names("a"), ElementsAre("other"));
}

TEST(StagedDir, MakesParents) {
  const TempFolder folder;
  StagedDir staged(folder / "a/b/out/", Existing::kRefuse);
  staged.commit();
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/out"));
  EXPECT_THAT(folder.names("a/b"), ElementsAre("out"));
}

TEST(StagedDir, RefusesAnExistingTarget) {
  const TempFolder folder;
  folder.put("out/config.json", "old");
  EXPECT_THAT(error_of([&] { StagedDir(folder / "out", Existing::kRefuse); }),
              IsError(ErrorCode::kUsage, (folder / "out").string() + ": already exists", HasSubstr("--force")));
  EXPECT_THAT(folder.names(), ElementsAre("out"));
}

TEST(StagedDir, RefusesATargetThatAppearsMeanwhile) {
  const TempFolder folder;
  StagedDir staged(folder / "out", Existing::kRefuse);
  folder.put("out/config.json", "other");
  EXPECT_THAT(error_of([&] { staged.commit(); }), IsError(ErrorCode::kUsage, HasSubstr("already exists")));
  EXPECT_EQ(folder.text("out/config.json"), "other");
}

TEST(StagedDir, ReplacesOnlyAtCommit) {
  const TempFolder folder;
  folder.put("out/config.json", "old");
  folder.put("out/sub/extra", "old");
  {
    const StagedDir staged(folder / "out", Existing::kReplace);
    write_file(staged.path() / "config.json", "new");
    EXPECT_EQ(folder.text("out/config.json"), "old");
  }
  EXPECT_EQ(folder.text("out/config.json"), "old");
  convert(folder, Existing::kReplace, "new");
  EXPECT_EQ(folder.text("out/config.json"), "new");
  EXPECT_THAT(folder.names("out"), ElementsAre("config.json"));
  EXPECT_THAT(folder.names(), ElementsAre("out"));
}

TEST(StagedDir, ReplaceMeansNothingWithoutATarget) {
  const TempFolder folder;
  convert(folder, Existing::kReplace, "new");
  EXPECT_EQ(folder.text("out/config.json"), "new");
}

TEST(StagedDir, AKilledRunLeavesTheOldTargetAndTheNextOneCleansUp) {
  const TempFolder folder;
  folder.put("out/config.json", "old");
  die_after([&] {
    const auto staged = std::make_unique<StagedDir>(folder / "out", Existing::kReplace);
    write_file(staged->path() / "config.json", "half");
    ::kill(::getpid(), SIGKILL);
  });
  EXPECT_EQ(folder.names().size(), 2u);
  EXPECT_EQ(folder.text("out/config.json"), "old");
  convert(folder, Existing::kReplace, "new");
  EXPECT_EQ(folder.text("out/config.json"), "new");
  EXPECT_THAT(folder.names(), ElementsAre("out"));
}

TEST(StagedDir, ARunKilledAfterTheExchangeLeavesTheNewTarget) {
  const TempFolder folder;
  folder.put("out/config.json", "old");
  die_after([&] {
    const auto staged = std::make_unique<StagedDir>(folder / "out", Existing::kReplace);
    write_file(staged->path() / "config.json", "new");
    if (!exchange_folders(staged->path(), folder / "out")) exchange_by_renaming(staged->path(), folder / "out", folder / "aside");
    ::kill(::getpid(), SIGKILL);
  });
  EXPECT_EQ(folder.text("out/config.json"), "new");
  EXPECT_EQ(error_of([&] { StagedDir(folder / "out", Existing::kRefuse); }).code(), ErrorCode::kUsage);
  EXPECT_THAT(folder.names(), ElementsAre("out"));
}

TEST(StagedDir, WhatAKilledRunSetAsideComesBack) {
  const TempFolder folder;
  folder.put(".out.hf2mlx-partial-123-0-old/config.json", "old");
  folder.put(".out.hf2mlx-partial-123-0/config.json", "new");
  { const StagedDir staged(folder / "out", Existing::kReplace); }
  EXPECT_EQ(folder.text("out/config.json"), "old");
  EXPECT_THAT(folder.names(), ElementsAre("out"));
}

TEST(StagedDir, WhatWasSetAsideIsDeletedWhereThereIsATarget) {
  const TempFolder folder;
  folder.put(".out.hf2mlx-partial-123-0-old/config.json", "old");
  folder.put("out/config.json", "new");
  { const StagedDir staged(folder / "out", Existing::kReplace); }
  EXPECT_EQ(folder.text("out/config.json"), "new");
  EXPECT_THAT(folder.names(), ElementsAre("out"));
}

TEST(StagedDir, LeavesTheWorkOfALivingRunAndOfOtherTargets) {
  const TempFolder folder;
  folder.put(".other.hf2mlx-partial-123-0/x");
  folder.put(".out.hf2mlx-partial-notes/x");
  folder.put(".out.hf2mlx-partial-12-/x");
  const auto before = folder.names();
  StagedDir first(folder / "out", Existing::kRefuse);
  for (const Existing existing : {Existing::kRefuse, Existing::kReplace}) {
    const auto is_refused = IsError(ErrorCode::kUsage, HasSubstr("another conversion is writing it, in " + first.path().string()));
    EXPECT_THAT(error_of([&] { StagedDir(folder / "out", existing); }), is_refused);
    EXPECT_THAT(error_of([&] { check_target(folder / "out", existing); }), is_refused);
  }
  StagedDir other(folder / "other", Existing::kRefuse);
  EXPECT_TRUE(std::filesystem::exists(first.path()));
  EXPECT_EQ(folder.names().size(), before.size() + 1);  // and what was left over of the other is gone
  first.commit();
  StagedDir(folder / "out", Existing::kReplace).commit();
}

TEST(StagedDir, OfManyThatBeginAtOnceOneDoes) {
  const TempFolder folder;
  constexpr int kRuns = 8;
  std::atomic<int> begun{0};
  std::atomic<int> refused{0};
  std::barrier all_have_tried(kRuns);
  const auto run = [&] {
    std::unique_ptr<StagedDir> staged;
    const auto begin = [&] { staged = std::make_unique<StagedDir>(folder / "a/b/out", Existing::kRefuse, "same"); };
    all_have_tried.arrive_and_wait();
    try {
      begin();
      ++begun;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      ++refused;
    }
    all_have_tried.arrive_and_wait();
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kRuns; ++i) threads.emplace_back(run);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(refused, kRuns - 1);
}

TEST(StagedDir, BeginsInAFolderThatAScriptHasLocked) {
  const TempFolder folder;
  const Fd script(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY));
  ASSERT_EQ(::flock(script.get(), LOCK_EX), 0);
  convert(folder, Existing::kRefuse, "new");
  EXPECT_EQ(folder.text("out/config.json"), "new");
}

TEST(StagedDir, ALivingProcessKeepsItsFolder) {
  const TempFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto staged = std::make_unique<StagedDir>(folder / "out", Existing::kRefuse);
    [[maybe_unused]] const ssize_t put = ::write(ready[1], "x", 1);
    ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(error_of([&] { StagedDir(folder / "out", Existing::kRefuse); }).code(), ErrorCode::kUsage);
  EXPECT_EQ(folder.names().size(), 1u);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  { const StagedDir staged(folder / "out", Existing::kRefuse); }
  EXPECT_EQ(folder.names().size(), 0u);
}

TEST(StagedDir, AFinishedOneDoesNotTouchItsSuccessor) {
  const TempFolder folder;
  auto first = std::make_unique<StagedDir>(folder / "out", Existing::kReplace);
  first->commit();
  const StagedDir second(folder / "out", Existing::kReplace);
  first.reset();
  EXPECT_TRUE(std::filesystem::exists(second.path()));
}

TEST(StagedDir, ReplacesTheFolderThatALinkLeadsTo) {
  const TempFolder folder;
  folder.put("disk/model/config.json", "old");
  folder.link("out", "disk/model");
  EXPECT_THAT(error_of([&] { StagedDir(folder / "out", Existing::kRefuse); }), IsError(ErrorCode::kUsage, HasSubstr("already exists")));
  convert(folder, Existing::kReplace, "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "out"));
  EXPECT_EQ(folder.text("disk/model/config.json"), "new");
  EXPECT_THAT(folder.names("disk"), ElementsAre("model"));
}

TEST(StagedDir, RefusesAFolderThatTheCurrentOneLiesIn) {
  const TempFolder folder;
  folder.put("out/sub/x", "old");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder / "out/sub");
  const Error error = error_of([&] { StagedDir(folder / "out", Existing::kReplace); });
  const Error dot = error_of([&] { StagedDir(".", Existing::kReplace); });
  std::filesystem::current_path(before);
  EXPECT_THAT(error, IsError(ErrorCode::kUsage, HasSubstr("the current folder lies in it")));
  EXPECT_THAT(dot, IsError(ErrorCode::kUsage, HasSubstr("the current folder lies in it")));
}

TEST(StagedDir, ParentThatIsAFileOrClosed) {
  const TempFolder folder;
  folder.put("file");
  const auto is_refused = IsError(ErrorCode::kUsage, HasSubstr((folder / "file").string() + " is a file, expected a folder"));
  for (const char* target : {"file/out", "file/a/b/out"}) {
    EXPECT_THAT(error_of([&] { check_target(folder / target, Existing::kReplace); }), is_refused);
    EXPECT_THAT(error_of([&] { StagedDir(folder / target, Existing::kRefuse); }), is_refused);
  }
  std::filesystem::create_directory(folder / "closed");
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(folder / "closed", std::filesystem::perms(0555));
  const uid_t user = ::geteuid();
  constexpr uid_t kNobody = 65534;  // root may write anywhere
  ASSERT_EQ(::seteuid(user == 0 ? kNobody : user), 0);
  const std::vector<Error> errors = {error_of([&] { check_target(folder / "closed/out", Existing::kRefuse); }),
                                     error_of([&] { check_target(folder / "closed/a/b/out", Existing::kRefuse); }),
                                     error_of([&] { StagedDir(folder / "closed/out", Existing::kRefuse); })};
  ASSERT_EQ(::seteuid(user), 0);
  for (const Error& error : errors) EXPECT_THAT(error, IsError(ErrorCode::kIo, HasSubstr("Permission denied")));
}

TEST(Exchange, ByRenaming) {
  const TempFolder folder;
  folder.put("a/x", "a");
  folder.put("b/x", "b");
  exchange_by_renaming(folder / "a", folder / "b", folder / "aside");
  EXPECT_EQ(folder.text("a/x"), "b");
  EXPECT_EQ(folder.text("b/x"), "a");
  EXPECT_THAT(folder.names(), ElementsAre("a", "b"));
}

TEST(Exchange, ByRenamingRollsBack) {
  const TempFolder folder;
  folder.put("b/x", "b");
  EXPECT_THAT(error_of([&] { exchange_by_renaming(folder / "a", folder / "b", folder / "aside"); }),
              IsError(ErrorCode::kNotFound, HasSubstr("b: cannot be put in place")));
  EXPECT_EQ(folder.text("b/x"), "b");
  EXPECT_THAT(folder.names(), ElementsAre("b"));
}

TEST(Exchange, InOneStep) {
  const TempFolder folder;
  folder.put("a/x", "a");
  folder.put("b/x", "b");
  if (!exchange_folders(folder / "a", folder / "b")) GTEST_SKIP() << "this file system cannot exchange";
  EXPECT_EQ(folder.text("a/x"), "b");
  EXPECT_EQ(folder.text("b/x"), "a");
  EXPECT_EQ(error_of([&] { exchange_folders(folder / "a", folder / "none"); }).code(), ErrorCode::kNotFound);
}

TEST(ResolveTarget, CleansPaths) {
  const TempFolder folder;
  folder.put("real/x");
  folder.link("link", "real");
  EXPECT_EQ(resolve_target(folder / "out///"), folder / "out");
  EXPECT_EQ(resolve_target(folder / "a/../b/./out/"), folder / "b/out");
  EXPECT_EQ(resolve_target(folder / "link/out"), folder / "real/out");
  EXPECT_EQ(resolve_target(folder / "link/"), folder / "real");
  EXPECT_EQ(resolve_target("relative"), std::filesystem::current_path() / "relative");
}

TEST(ResolveTarget, Refuses) {
  const TempFolder folder;
  folder.put("file");
  folder.link("dangling", "nowhere");
  folder.link("loop", "loop");
  EXPECT_THAT(error_of([&] { resolve_target(""); }), IsError(ErrorCode::kUsage, "the output path is empty"));
  EXPECT_THAT(error_of([&] { resolve_target("/"); }), IsError(ErrorCode::kUsage, "/: is the root folder"));
  EXPECT_THAT(error_of([&] { resolve_target(folder / "file"); }), IsError(ErrorCode::kUsage, HasSubstr("is a file, expected a folder")));
  EXPECT_THAT(error_of([&] { resolve_target(folder / "dangling"); }), IsError(ErrorCode::kUsage, HasSubstr("leads nowhere")));
  EXPECT_THAT(error_of([&] { resolve_target(folder / "loop"); }), IsError(ErrorCode::kIo, HasSubstr("symbolic links")));
}

// A run with this purpose that writes a file and ends early.
void end_early(const TempFolder& folder, const std::string& purpose, const std::string& content) {
  StagedDir staged(folder / "out", Existing::kRefuse, purpose);
  write_file(staged.path() / content, content);
  staged.keep();
}

TEST(StagedDirWithPurpose, StaysForTheNextRunAndIsPlainInTheEnd) {
  const TempFolder folder;
  end_early(folder, "a", "one");
  die_after([&] { end_early(folder, "a", "two"); });
  StagedDir staged(folder / "out", Existing::kRefuse, "a");
  EXPECT_TRUE(staged.is_continued());
  EXPECT_THAT(folder.names(staged.path().filename().string()), ElementsAre(".hf2mlx-work", "one", "two"));
  staged.commit();
  EXPECT_THAT(folder.names(), ElementsAre("out"));
  EXPECT_THAT(folder.names("out"), ElementsAre("one", "two"));
}

TEST(StagedDirWithPurpose, GoesWhereNothingIsToBeKept) {
  const TempFolder folder;
  StagedDir(folder / "out", Existing::kRefuse, "a");
  EXPECT_THAT(folder.names(), ElementsAre());
  end_early(folder, "a", "one");
  EXPECT_TRUE(StagedDir(folder / "out", Existing::kRefuse, "a").is_continued());
  EXPECT_EQ(folder.names().size(), 1u);
}

TEST(StagedDirWithPurpose, IsRemovedByAnotherPurpose) {
  const TempFolder folder;
  end_early(folder, "a", "one");
  StagedDir staged(folder / "out", Existing::kRefuse, "b");
  EXPECT_FALSE(staged.is_continued());
  EXPECT_THAT(folder.names(), ElementsAre(staged.path().filename().string()));
}

TEST(StagedDirWithPurpose, OutlivesOtherRunsThatFailAndNoneThatCommits) {
  const TempFolder folder;
  end_early(folder, "a", "one");
  { const StagedDir fails(folder / "out", Existing::kRefuse); }
  EXPECT_EQ(folder.names().size(), 1u);
  convert(folder, Existing::kRefuse, "new");
  EXPECT_THAT(folder.names(), ElementsAre("out"));
}

TEST(StagedDirWithPurpose, IsGoneWhenGivenUp) {
  const TempFolder folder;
  end_early(folder, "a", "one");
  StagedDir(folder / "out", Existing::kRefuse, "a").give_up();
  EXPECT_THAT(folder.names(), ElementsAre());
}

TEST(StagedDirWithPurpose, IsNotTakenFromARunThatIsAtIt) {
  const TempFolder folder;
  end_early(folder, "a", "one");
  const StagedDir first(folder / "out", Existing::kRefuse, "a");
  for (const char* purpose : {"a", "b", ""}) {
    EXPECT_EQ(error_of([&] { StagedDir(folder / "out", Existing::kRefuse, purpose); }).code(), ErrorCode::kUsage);
  }
  EXPECT_THAT(folder.names(first.path().filename().string()), ElementsAre(".hf2mlx-work", "one"));
  EXPECT_EQ(folder.names().size(), 1u);
}

TEST(CheckDisjoint, RefusesOverlap) {
  const TempFolder folder;
  folder.put("models/source/config.json");
  folder.link("link", "models/source");
  const auto refuses = [&](const std::string& target, const std::string& why) {
    EXPECT_THAT(error_of([&] { check_disjoint(folder / "models/source", folder / target); }), IsError(ErrorCode::kUsage, HasSubstr(why)));
  };
  refuses("models/source", "is the source folder");
  refuses("models/source/", "is the source folder");
  refuses("link", "is the source folder");
  refuses("models/other/../source", "is the source folder");
  refuses("models/source/out", "lies inside the source folder");
  refuses("link/a/b", "lies inside the source folder");
  refuses("models", "contains the source folder");
  EXPECT_NO_THROW(check_disjoint(folder / "models/source", folder / "models/source-mlx"));
  EXPECT_NO_THROW(check_disjoint(folder / "link", folder / "models/out"));
  EXPECT_EQ(error_of([&] { check_disjoint(folder / "none", folder / "out"); }).code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace hf2mlx
