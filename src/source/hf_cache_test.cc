#include "source/hf_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_error.h"
#include "source/locate.h"
#include "source/test_model.h"

namespace hf2mlx {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kRepo = "models--Qwen--Qwen3-8B";

class Cache : public testing::Test {
 protected:
  TempFolder cache_;

  void add_snapshot(const std::string& commit, const std::string& repo = kRepo) { put_cached(cache_, repo, commit, "config.json", "{}"); }
  void add_ref(const std::string& revision, const std::string& commit, const std::string& repo = kRepo) {
    cache_.put(repo + "/refs/" + revision, commit);
  }
  std::string snapshot(const std::string& commit) const { return (cache_ / (std::string(kRepo) + "/snapshots/" + commit)).string(); }
  Location locate(const std::string& model, const std::string& revision = "") const {
    SourceOptions options;
    options.model = model;
    options.revision = revision;
    options.cache_dir = cache_.path();
    return locate_model(options);
  }
  Error error_for(const std::string& model, const std::string& revision = "") const {
    return error_of([&] { locate(model, revision); });
  }
};

TEST_F(Cache, NamesOfFolders) {
  EXPECT_EQ(repo_id_from_folder(kRepo), "Qwen/Qwen3-8B");
  EXPECT_EQ(repo_id_from_folder("models--gpt2"), "gpt2");
  EXPECT_EQ(repo_id_from_folder("datasets--a--b"), std::nullopt);
  EXPECT_EQ(repo_id_from_folder("models--a--..--b"), std::nullopt);
  EXPECT_EQ(folder_of_repo("Qwen/Qwen3-8B"), kRepo);
  EXPECT_EQ(folder_of_repo("gpt2"), "models--gpt2");
  EXPECT_FALSE(is_repo_id("a/b/c"));
  EXPECT_FALSE(is_repo_id("../b"));
  EXPECT_FALSE(is_repo_id("/b"));
  EXPECT_FALSE(is_repo_id(""));
}

TEST_F(Cache, MainIsTheDefault) {
  add_snapshot(kCommitA);
  add_snapshot(kCommitB);
  add_ref("main", kCommitB + std::string("\n"));
  const Location location = locate("Qwen/Qwen3-8B");
  EXPECT_EQ(location.folder, snapshot(kCommitB));
  EXPECT_EQ(location.name, "Qwen3-8B");
  EXPECT_EQ(location.organisation, "Qwen");
  EXPECT_EQ(location.repo_id, "Qwen/Qwen3-8B");
  EXPECT_EQ(location.commit, kCommitB);
  EXPECT_THAT(location.notes, IsEmpty());
}

TEST_F(Cache, BranchTagCommitAndPrefix) {
  add_snapshot(kCommitA);
  add_snapshot(kCommitB);
  add_ref("main", kCommitB);
  add_ref("refs/pr/1", kCommitA);
  EXPECT_EQ(locate("Qwen/Qwen3-8B", "main").commit, kCommitB);
  EXPECT_EQ(locate("Qwen/Qwen3-8B", "refs/pr/1").commit, kCommitA);
  EXPECT_EQ(locate("Qwen/Qwen3-8B", kCommitA).commit, kCommitA);
  EXPECT_EQ(locate("Qwen/Qwen3-8B", "aaaa5").commit, kCommitA);
  EXPECT_EQ(locate("Qwen/Qwen3-8B@aaaa5").commit, kCommitA);
  EXPECT_EQ(locate("Qwen/Qwen3-8B@aaaa5", "aaaa5").commit, kCommitA);
  EXPECT_THAT(error_for("Qwen/Qwen3-8B@aaaa5", "main"), IsError(ErrorCode::kUsage, HasSubstr("another revision, main, is given")));
}

TEST_F(Cache, UnknownRevisionNamesTheChoices) {
  add_snapshot(kCommitA);
  add_snapshot(kCommitB);
  add_ref("main", kCommitB);
  const auto message = AllOf(HasSubstr("Qwen/Qwen3-8B: no revision v2 in the cache, found "), HasSubstr(kCommitA),
                             HasSubstr(std::string(kCommitB) + " (main)"));
  EXPECT_THAT(error_for("Qwen/Qwen3-8B", "v2"), IsError(ErrorCode::kNotFound, message, HasSubstr("download")));
  EXPECT_EQ(error_for("Qwen/Qwen3-8B", "aaa").code(), ErrorCode::kNotFound) << "too short for a commit";
}

TEST_F(Cache, AmbiguousPrefix) {
  add_snapshot("cafe1111");
  add_snapshot("cafe2222");
  EXPECT_THAT(error_for("Qwen/Qwen3-8B", "cafe"),
              IsError(ErrorCode::kNotFound, HasSubstr("revision cafe is not unique, found cafe1111, cafe2222")));
}

TEST_F(Cache, RevisionsDoNotLeadOut) {
  add_snapshot(kCommitA);
  EXPECT_EQ(error_for("Qwen/Qwen3-8B", "../../x").code(), ErrorCode::kUsage);
  EXPECT_EQ(error_for("Qwen/Qwen3-8B", "/etc/hosts").code(), ErrorCode::kUsage);
  add_ref("main", "../../../elsewhere");
  EXPECT_THAT(error_for("Qwen/Qwen3-8B"), IsError(ErrorCode::kCorrupt, HasSubstr("refs/main: found no commit")));
}

TEST_F(Cache, WithoutMainTheOnlySnapshotIsUsed) {
  add_snapshot(kCommitA);
  const Location location = locate("Qwen/Qwen3-8B");
  EXPECT_EQ(location.commit, kCommitA);
  EXPECT_THAT(location.notes, ElementsAre(HasSubstr("the only snapshot, " + std::string(kCommitA))));
  EXPECT_EQ(error_for("Qwen/Qwen3-8B", "main").code(), ErrorCode::kNotFound) << "main was asked for";
  add_snapshot(kCommitB);
  EXPECT_THAT(error_for("Qwen/Qwen3-8B"), IsError(ErrorCode::kNotFound, AllOf(HasSubstr("does not say which commit main is"),
                                                                              HasSubstr(kCommitA), HasSubstr(kCommitB))));
}

TEST_F(Cache, MainThatIsNotDownloaded) {
  add_snapshot(kCommitA);
  add_ref("main", kCommitB);
  EXPECT_THAT(
      error_for("Qwen/Qwen3-8B"),
      IsError(ErrorCode::kNotFound, AllOf(HasSubstr("revision main is commit bbbb"), HasSubstr("found aaaa")), HasSubstr("download")));
}

TEST_F(Cache, NothingDownloaded) {
  cache_.put(std::string(kRepo) + "/blobs/x.incomplete");
  EXPECT_THAT(error_for("Qwen/Qwen3-8B"), IsError(ErrorCode::kNotFound, HasSubstr("no snapshot in"), HasSubstr("not finished")));
}

TEST_F(Cache, UnknownRepositoriesAndSimilarOnes) {
  add_snapshot(kCommitA);
  EXPECT_THAT(error_for("Qwen/Other"),
              IsError(ErrorCode::kNotFound, HasSubstr("Qwen/Other: no such folder, and not in the cache"), HasSubstr("download")));
  EXPECT_EQ(error_for("qwen/qwen3-8b").hint(), "did you mean Qwen/Qwen3-8B?");
  EXPECT_EQ(error_for("Qwen3-8B").hint(), "did you mean Qwen/Qwen3-8B?");
  SourceOptions options;
  options.model = "Qwen/Other";
  options.cache_dir = cache_.path();
  options.hub.offline = true;
  EXPECT_THAT(error_of([&] { locate_model(options); }),
              IsError(ErrorCode::kNotFound, HasSubstr("and offline"), HasSubstr("HF_HUB_OFFLINE")));
  options.cache_dir.clear();
  options.model = "Qwen/Qwen3-8B";
  EXPECT_THAT(error_of([&] { locate_model(options); }), IsError(ErrorCode::kNotFound, "Qwen/Qwen3-8B: no such folder"));
}

TEST_F(Cache, FoldersOfTheCacheByPath) {
  add_snapshot(kCommitA);
  add_snapshot(kCommitB);
  add_ref("main", kCommitB);
  const std::string repo = (cache_ / kRepo).string();
  for (const std::string& path : {repo, repo + "/", snapshot(kCommitB), snapshot(kCommitB) + "/"}) {
    const Location location = locate(path);
    EXPECT_EQ(location.folder, snapshot(kCommitB)) << path;
    EXPECT_EQ(location.repo_id, "Qwen/Qwen3-8B") << path;
    EXPECT_EQ(location.name, "Qwen3-8B") << path;
    EXPECT_EQ(location.commit, kCommitB) << path;
  }
  EXPECT_EQ(locate(repo, "aaaa").commit, kCommitA);
  cache_.link("link", snapshot(kCommitA));
  EXPECT_EQ(locate((cache_ / "link").string()).commit, kCommitA);
}

TEST_F(Cache, List) {
  EXPECT_THAT(list_cache(cache_ / "none"), IsEmpty());
  add_snapshot(kCommitA);
  add_snapshot(kCommitB);
  add_ref("main", kCommitB);
  add_ref("v1", kCommitB);
  add_snapshot(kCommitA, "models--gpt2");
  add_ref("broken", "not a commit", "models--gpt2");
  cache_.put("datasets--a--b/snapshots/x/y");
  cache_.put("version.txt");
  const auto entry = [](const std::string& repo_id, const std::string& revision, const std::string& commit) {
    return AllOf(testing::Field(&CacheEntry::repo_id, repo_id), testing::Field(&CacheEntry::revision, revision),
                 testing::Field(&CacheEntry::commit, commit));
  };
  EXPECT_THAT(list_cache(cache_.path()),
              ElementsAre(entry("Qwen/Qwen3-8B", "main", kCommitB), entry("Qwen/Qwen3-8B", "", kCommitA), entry("gpt2", "", kCommitA)));
  EXPECT_EQ(list_cache(cache_.path())[1].path, snapshot(kCommitA));
}

class Folder : public Cache {};

TEST_F(Folder, HasTheNameThatTheUserSees) {
  cache_.put("disk/MyModel/config.json");
  cache_.link("Link", "disk/MyModel");
  for (const char* path : {"disk/MyModel", "disk/MyModel/", "disk/MyModel/.", "disk/../disk/MyModel"}) {
    const Location location = locate((cache_ / path).string());
    EXPECT_EQ(location.name, "MyModel") << path;
    EXPECT_EQ(location.folder, cache_ / "disk/MyModel") << path;
    EXPECT_EQ(location.organisation + location.repo_id + location.commit, "") << path;
  }
  EXPECT_EQ(locate((cache_ / "Link").string()).name, "Link");
  EXPECT_EQ(locate((cache_ / "Link").string()).folder, cache_ / "disk/MyModel");
}

TEST_F(Folder, IsNoRepository) {
  const auto repo = [](const std::string& model, const std::string& revision = "") {
    SourceOptions options;
    options.model = model;
    options.revision = revision;
    const std::optional<RepoName> found = repo_of_model(options);
    return found ? found->repo_id + " " + found->revision : "none";
  };
  EXPECT_EQ(repo("org/name"), "org/name ");
  EXPECT_EQ(repo("org/name@v1", "v1"), "org/name v1");
  EXPECT_EQ(repo("org/name", "v2"), "org/name v2");
  EXPECT_EQ(repo("name"), "none");
  EXPECT_EQ(repo("./org/name"), "none");
  EXPECT_EQ(repo(cache_.path().string()), "none");
  EXPECT_THAT(error_of([&] { repo("org/name@v1", "v2"); }), IsError(ErrorCode::kUsage, testing::HasSubstr("v2, is given as well")));
}

TEST_F(Folder, RevisionDoesNotCount) {
  cache_.put("MyModel/config.json");
  EXPECT_THAT(locate((cache_ / "MyModel").string(), "v1").notes, ElementsAre(HasSubstr("the revision v1 does not count")));
}

TEST_F(Folder, FilesLinksAndNothing) {
  const std::string gguf = cache_.put("model.gguf").string();
  EXPECT_THAT(error_for(gguf), IsError(ErrorCode::kUsage, gguf + ": is a file, expected the folder of a model", HasSubstr("GGUF")));
  EXPECT_THAT(error_for(cache_.put("model.safetensors").string()),
              IsError(ErrorCode::kUsage, HasSubstr("is a file"), HasSubstr("config.json")));
  cache_.link("loop", "loop");
  EXPECT_THAT(error_for((cache_ / "loop").string()),
              IsError(ErrorCode::kIo, HasSubstr("loop: cannot be opened: Too many levels of symbolic links")));
  cache_.link("dangling", "nowhere");
  EXPECT_THAT(error_for((cache_ / "dangling").string()), IsError(ErrorCode::kNotFound, HasSubstr("leads nowhere")));
  EXPECT_THAT(error_for((cache_ / "none").string()),
              IsError(ErrorCode::kNotFound, HasSubstr("none: no such folder"), HasSubstr("org/name")));
  EXPECT_THAT(error_for("./Qwen/x"), IsError(ErrorCode::kNotFound, "./Qwen/x: no such folder"));
  EXPECT_THAT(error_for(""), IsError(ErrorCode::kUsage, "no model is named"));
  EXPECT_EQ(error_for(std::string(5000, 'x')).code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace hf2mlx
