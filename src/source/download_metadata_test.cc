#include "source/download_metadata.h"

#include <gtest/gtest.h>

#include <string>

#include "base/temp_folder.h"

namespace hf2mlx {
namespace {

constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";
constexpr double kFuture = 1e11;  // seconds since 1970

class CommitOfFolder : public ::testing::Test {
 protected:
  void put(const std::string& name, const std::string& commit, double seconds) {
    folder_.put(name, "x");
    folder_.put(".cache/huggingface/download/" + name + ".metadata", commit + "\netag\n" + std::to_string(seconds) + "\n");
  }

  TempFolder folder_;
};

TEST_F(CommitOfFolder, IsThatOfAllFiles) {
  EXPECT_EQ(commit_of_folder(folder_.path()), "");
  put("config.json", kCommit, kFuture);
  put("model.safetensors", kCommit, kFuture);
  EXPECT_EQ(commit_of_folder(folder_.path()), kCommit);
}

TEST_F(CommitOfFolder, IsNotKnownWhereFilesDiffer) {
  put("config.json", kCommit, kFuture);
  put("model.safetensors", std::string(40, 'a'), kFuture);
  EXPECT_EQ(commit_of_folder(folder_.path()), "");
}

TEST_F(CommitOfFolder, IsNotKnownWhereAFileWasChanged) {
  put("config.json", kCommit, 1000);  // and was written now
  EXPECT_EQ(commit_of_folder(folder_.path()), "");
}

TEST_F(CommitOfFolder, IsNotKnownWhereMetadataIsBroken) {
  put("config.json", kCommit, kFuture);
  folder_.put(".cache/huggingface/download/model.safetensors.metadata", "\n");
  EXPECT_EQ(commit_of_folder(folder_.path()), "");
}

}  // namespace
}  // namespace hf2mlx
