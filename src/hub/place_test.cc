#include "hub/place.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/temp_folder.h"
#include "source/test_model.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kHello = "ce013625030ba8dba906f756967f9e9ca394464a";  // what git hash-object says of "hello\n"
const TreeEntry kTop{"a.txt", 6, kHello, "", ""};
const TreeEntry kDeep{"d/e/a.txt", 6, kHello, "", ""};

class Places : public testing::Test {
 protected:
  TempFolder folder_;
  std::unique_ptr<Place> cache_ = cache_place(folder_ / "hub", "org/name", kCommitA);
  std::unique_ptr<Place> local_ = local_place(folder_ / "local", folder_ / "hub", "org/name", kCommitA);

  // As a download does.
  void keep(Place& place, const TreeEntry& entry) {
    const fs::path partial = place.partial_of(entry);
    fs::create_directories(partial.parent_path());
    std::ofstream(partial) << "hello\n";
    place.keep(entry, partial);
  }
};

TEST_F(Places, CacheIsThatOfHuggingfaceHub) {
  EXPECT_EQ(cache_->look(kTop), Presence::kMissing);
  EXPECT_FALSE(cache_->adopt(kTop));
  keep(*cache_, kTop);
  EXPECT_EQ(cache_->look(kTop), Presence::kThere);
  const fs::path repo = folder_ / "hub/models--org--name";
  EXPECT_EQ(fs::read_symlink(repo / "snapshots" / kCommitA / "a.txt"), fmt::format("../../blobs/{}", kHello));
  EXPECT_EQ(cache_->partial_of(kTop), repo / "blobs" / fmt::format("{}.hf2mlx.incomplete", kHello));
  EXPECT_EQ(cache_->lock_of(kTop), folder_ / fmt::format("hub/.locks/models--org--name/{}.lock", kHello));
}

TEST_F(Places, TheSameContentIsLinkedAgain) {
  keep(*cache_, kTop);
  EXPECT_EQ(cache_->look(kDeep), Presence::kAtHand);
  EXPECT_TRUE(cache_->adopt(kDeep));
  EXPECT_EQ(cache_->look(kDeep), Presence::kThere);
  EXPECT_EQ(fs::read_symlink(cache_->folder() / "d/e/a.txt"), fmt::format("../../../../blobs/{}", kHello));
}

TEST_F(Places, BlobsThatWereCutAreMissing) {
  keep(*cache_, kTop);
  fs::resize_file(folder_ / fmt::format("hub/models--org--name/blobs/{}", kHello), 3);
  EXPECT_EQ(cache_->look(kTop), Presence::kMissing);
  keep(*cache_, kTop);
  EXPECT_EQ(cache_->look(kTop), Presence::kThere);
}

TEST_F(Places, LocalFilesHaveMetadata) {
  keep(*local_, kDeep);
  EXPECT_EQ(folder_.text("local/d/e/a.txt"), "hello\n");
  EXPECT_THAT(folder_.text("local/.cache/huggingface/download/d/e/a.txt.metadata"), StartsWith(fmt::format("{}\n{}\n1", kCommitA, kHello)));
  EXPECT_EQ(local_->lock_of(kDeep), folder_ / "local/.cache/huggingface/download/d/e/a.txt.lock");
  EXPECT_EQ(local_->look(kDeep), Presence::kThere);
}

TEST_F(Places, LocalFilesThatChangedAreChecked) {
  keep(*local_, kTop);
  fs::last_write_time(folder_ / "local/a.txt", fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(local_->look(kTop), Presence::kAtHand);
  EXPECT_TRUE(local_->adopt(kTop));  // only the time was another
  folder_.put("local/a.txt", "HELLO\n");
  fs::last_write_time(folder_ / "local/a.txt", fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_FALSE(local_->adopt(kTop));
  folder_.put("local/a.txt", "longer than before");
  EXPECT_EQ(local_->look(kTop), Presence::kMissing);
}

TEST_F(Places, LocalFilesOfAnotherCommitWithTheSameContentStay) {
  keep(*local_, kTop);
  const auto next = local_place(folder_ / "local", folder_ / "hub", "org/name", kCommitB);
  EXPECT_EQ(next->look(kTop), Presence::kAtHand);
  EXPECT_TRUE(next->adopt(kTop));
  EXPECT_EQ(next->look(kTop), Presence::kThere);
}

TEST_F(Places, LocalFilesAreCopiedFromTheCache) {
  keep(*cache_, kTop);
  EXPECT_EQ(local_->look(kTop), Presence::kAtHand);
  fs::create_directories(local_->partial_of(kTop).parent_path());
  EXPECT_TRUE(local_->adopt(kTop));
  EXPECT_EQ(folder_.text("local/a.txt"), "hello\n");
  EXPECT_FALSE(fs::is_symlink(folder_ / "local/a.txt"));
  EXPECT_EQ(local_->look(kTop), Presence::kThere);
}

TEST_F(Places, Refs) {
  const fs::path repo = folder_ / "hub/models--org--name";
  EXPECT_FALSE(read_cached_ref(repo, "refs/pr/1"));
  write_cached_ref(repo, "refs/pr/1", kCommitA);
  EXPECT_EQ(folder_.text("hub/models--org--name/refs/refs/pr/1"), kCommitA);
  EXPECT_EQ(read_cached_ref(repo, "refs/pr/1"), kCommitA);
  write_cached_ref(repo, kCommitB, kCommitB);
  EXPECT_FALSE(fs::exists(repo / "refs" / kCommitB));
}

}  // namespace
}  // namespace hf2mlx
