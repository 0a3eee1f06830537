// A repository at a hub that is a function: what is asked for, and what is checked.
#include "hub/remote_model.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "base/expect_error.h"
#include "base/temp_folder.h"
#include "hub/fake_http.h"
#include "hub/partial_file.h"
#include "source/open_checkpoint.h"
#include "source/test_model.h"

namespace hf2mlx {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string hash_of(const std::string& content) {
  Digest digest = begin_digest_of({"", content.size(), "", "", ""});
  digest.update(std::as_bytes(std::span(content)));
  return digest.finish();
}

class RemoteModelTest : public testing::Test {
 protected:
  std::map<std::string, std::string> files_ = {{"config.json", R"({"model_type":"qwen3"})"},
                                               {"model.safetensors", weights_of({"a", "b"})},
                                               {"README.md", "# A"},
                                               {"sub/[odd] name*.txt", "odd"},
                                               {"sub/?odd] name?.txt", "odd as well"},
                                               {".gitattributes", "x"},
                                               {"pytorch_model.bin", "unneeded"}};
  std::map<std::string, std::string> wrong_;  // content that is sent in place of the right one
  TempFolder folder_;
  std::mutex mutex_;  // guards the log
  std::vector<std::string> log_;
  std::vector<std::unique_ptr<std::vector<HttpRequest>>> logs_;

  SourceOptions source_of(const std::string& model) const {
    SourceOptions source;
    source.model = model;
    source.cache_dir = folder_.path() / "cache";
    source.hub.endpoint = "https://hub";
    return source;
  }

  std::unique_ptr<RemoteModel> find(const SourceOptions& source) { return find_remote_model(source, connections(), nullptr); }

  ConnectionFactory connections() {
    return [this](std::function<void()>) {
      const std::lock_guard lock(mutex_);
      logs_.push_back(std::make_unique<std::vector<HttpRequest>>());
      return std::make_unique<FakeHttp>([this](const HttpRequest& request) { return answer(request); }, *logs_.back());
    };
  }

  FakeAnswer answer(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    log_.push_back(request.url);
    if (request.url.ends_with("/revision/main")) return fake_answer(200, {}, fmt::format(R"({{"sha":"{}"}})", kCommitA));
    if (request.url.find("/tree/") != std::string::npos) return fake_answer(200, {}, listing());
    const auto file = std::find_if(files_.begin(), files_.end(), [&](const auto& f) {
      return request.url == resolve_address(source_of("").hub, "org/name", kCommitA, f.first);
    });
    if (file == files_.end()) return fake_answer(404, {});
    const std::string content = wrong_.contains(file->first) ? wrong_[file->first] : file->second;
    const std::map<std::string, std::string> headers = {{"x-repo-commit", kCommitA}, {"etag", '"' + hash_of(file->second) + '"'}};
    return fake_answer(200, headers, content);
  }

  std::string listing() const {
    std::string items;
    for (const auto& [path, content] : files_) {
      items += fmt::format(R"({}{{"type":"file","path":"{}","oid":"{}","size":{}}})", items.empty() ? "" : ",", path, hash_of(content),
                           content.size());
    }
    return "[" + items + "]";
  }
};

TEST_F(RemoteModelTest, OpensAsACheckpoint) {
  const auto model = find(source_of("org/name"));
  ASSERT_TRUE(model);
  const Checkpoint checkpoint = open_checkpoint(model->location(), *model);
  EXPECT_EQ(checkpoint.repo_id, "org/name");
  EXPECT_EQ(checkpoint.organisation, "org");
  EXPECT_EQ(checkpoint.commit, kCommitA);
  EXPECT_EQ(checkpoint.tensors.size(), 2u);
  EXPECT_EQ(checkpoint.side_files.size(), 3u);
  EXPECT_EQ(checkpoint.config["model_type"], "qwen3");
  EXPECT_GE(model->received_bytes(), files_["model.safetensors"].size() + files_["config.json"].size() + listing().size());
}

TEST_F(RemoteModelTest, IsNotAskedForWhatIsHere) {
  folder_.put("here/config.json", "{}");
  EXPECT_FALSE(find(source_of(folder_ / "here")));
  put_cached(folder_, "cache/models--org--name", kCommitA, "config.json", "{}");
  put_cached(folder_, "cache/models--org--name", kCommitA, "model.safetensors", weights_of({"a"}));
  EXPECT_FALSE(find(source_of("org/name")));
  SourceOptions offline = source_of("org/other");
  offline.hub.offline = true;
  EXPECT_FALSE(find(offline));
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(RemoteModelTest, ChecksSmallFiles) {
  wrong_["config.json"] = R"({"model_type":"qwen4"})";
  const auto model = find(source_of("org/name"));
  EXPECT_THAT(error_of([&] { open_checkpoint(model->location(), *model); }),
              IsError(ErrorCode::kCorrupt, HasSubstr("org/name/config.json: the checksum is wrong")));
}

TEST_F(RemoteModelTest, RefusesWhatCannotBeConverted) {
  files_.erase("model.safetensors");
  EXPECT_THAT(error_of([&] { find(source_of("org/name")); }), IsError(ErrorCode::kUnsupported, HasSubstr("no model*.safetensors")));
}

TEST_F(RemoteModelTest, BringsSideFilesAndWeightsThatAreNotInLargeFileStorage) {
  const auto model = find(source_of("org/name"));
  open_checkpoint(model->location(), *model);
  const auto before = model->received_bytes();
  model->fetch_side_files(folder_ / "side", nullptr);
  EXPECT_EQ(folder_.names("side"), (std::set<std::string>{".cache", "README.md", "model.safetensors", "sub"}));
  EXPECT_EQ(folder_.text("side/sub/[odd] name*.txt"), "odd");
  EXPECT_GT(model->received_bytes(), before);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "cache"));
  log_.clear();
  model->fetch_side_files(folder_ / "side", nullptr);
  EXPECT_THAT(log_, IsEmpty());
}

}  // namespace
}  // namespace hf2mlx
