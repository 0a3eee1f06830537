#include "hub/downloader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "base/expect_error.h"
#include "base/temp_folder.h"
#include "hub/fake_http.h"
#include "hub/fetch.h"
#include "hub/partial_file.h"
#include "source/test_model.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// Git's hash of a small file.
std::string hash_of(const std::string& content) {
  Digest digest = begin_digest_of({"", content.size(), "", "", ""});
  digest.update(std::as_bytes(std::span(content)));
  return digest.finish();
}

// Counts what it is told, and that nothing is told twice at once.
class Watcher : public Progress {
 public:
  void begin(std::string_view, uint64_t total_bytes) override { total = total_bytes; }
  void advance(uint64_t done_bytes) override {
    ASSERT_TRUE(busy_.try_lock());
    done = done_bytes;
    busy_.unlock();
  }
  void note(std::string_view line) override { notes.emplace_back(line); }

  uint64_t total = 0;
  uint64_t done = 0;
  std::vector<std::string> notes;

 private:
  std::mutex busy_;
};

// A hub with one repository of many small files.
class Downloads : public testing::Test {
 protected:
  TempFolder folder_;
  Watcher watcher_;
  CancelToken cancel_;
  bool offline_ = false;
  std::map<std::string, std::string> files_ = {{"config.json", "{}"}, {"model.safetensors", weights_of({"a"})}};
  FakeHttp::Answer resolve_ = [this](const HttpRequest& request) { return file(request); };
  std::mutex mutex_;  // guards the log
  std::vector<std::string> log_;

  void SetUp() override {
    for (int i = 0; i < 100; ++i) files_[fmt::format("d/{}.txt", i)] = std::string(1000 + static_cast<size_t>(i), 'x');
  }

  FakeAnswer file(const HttpRequest& request) const {
    const std::string path = request.url.substr(request.url.find(kCommitA) + std::string(kCommitA).size() + 1);
    const std::string& content = files_.at(path);
    return fake_answer(200, {{"x-repo-commit", kCommitA}, {"etag", '"' + hash_of(content) + '"'}}, content);
  }

  FakeAnswer answer(const HttpRequest& request) {
    {
      const std::lock_guard lock(mutex_);
      log_.push_back(request.url);
    }
    if (request.url == "https://hub/api/models/org/name/revision/main")
      return fake_answer(200, {}, fmt::format(R"({{"sha":"{}"}})", kCommitA));
    if (request.url.find("/tree/") == std::string::npos) return resolve_(request);
    std::string items;
    for (const auto& [path, content] : files_) {
      items += fmt::format(R"({}{{"type":"file","path":"{}","oid":"{}","size":{}}})", items.empty() ? "" : ",", path, hash_of(content),
                           content.size());
    }
    return fake_answer(200, {}, "[" + items + "]");
  }

  ConnectionFactory connections() {
    return [this](std::function<void()>) {
      logs_.push_back(std::make_unique<std::vector<HttpRequest>>());
      return std::make_unique<FakeHttp>([this](const HttpRequest& request) { return answer(request); }, *logs_.back());
    };
  }
  ConnectionFactory locked_connections() {
    return [this, connect = connections()](std::function<void()> check_stop) {
      const std::lock_guard lock(mutex_);
      return connect(std::move(check_stop));
    };
  }

  DownloadReport run() {
    DownloadOptions options;
    options.repo = "org/name";
    options.cache_dir = folder_ / "hub";
    HubLink link({"https://hub", "", offline_}, locked_connections(), &cancel_);
    return Downloader(options, link, &watcher_).run();
  }
  void fetch() {
    SourceOptions source;
    source.model = "org/name";
    source.cache_dir = folder_ / "hub";
    source.hub.endpoint = "https://hub";
    fetch_model(source, {}, locked_connections(), &watcher_, &cancel_);
  }

 private:
  std::vector<std::unique_ptr<std::vector<HttpRequest>>> logs_;
};

TEST_F(Downloads, SeveralFilesAtOnce) {
  const DownloadReport report = run();
  uint64_t total = 0;
  for (const auto& [path, content] : files_) {
    EXPECT_EQ(folder_.text(fmt::format("hub/models--org--name/snapshots/{}/{}", kCommitA, path)), content);
    total += content.size();
  }
  EXPECT_THAT(report.files, SizeIs(files_.size()));
  EXPECT_EQ(report.total_bytes, total);
  EXPECT_EQ(report.received_bytes, total);
  EXPECT_EQ(watcher_.total, total);
  EXPECT_EQ(watcher_.done, total);
  EXPECT_THAT(log_, SizeIs(files_.size() + 2));
}

TEST_F(Downloads, WhatElseMustFitIsAddedUp) {
  DownloadOptions options;
  options.repo = "org/name";
  options.cache_dir = folder_ / "hub";
  HubLink link({"https://hub", ""}, locked_connections(), nullptr);
  Downloader downloader(options, link, nullptr);
  const Error error = error_of([&] { downloader.run({{folder_ / "out", UINT64_MAX / 2}}); });
  EXPECT_THAT(error, IsError(ErrorCode::kNoSpace, HasSubstr("bytes are free")));
  EXPECT_THAT(error.what(), Not(HasSubstr(fmt::format("{} are needed", UINT64_MAX / 2))));
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Downloads, OnlyTheRevisionIsAskedForAgain) {
  run();
  log_.clear();
  EXPECT_EQ(run().received_bytes, 0u);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("/revision/main")));
  log_.clear();
  offline_ = true;
  EXPECT_TRUE(run().files.at(0).was_there);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(Downloads, TheFirstErrorEndsAll) {
  resolve_ = [this](const HttpRequest& request) {
    return request.url.ends_with("/50.txt") ? fake_answer(404, {{"x-error-code", "EntryNotFound"}}) : file(request);
  };
  EXPECT_THAT(error_of([&] { run(); }), IsError(ErrorCode::kNotFound, HasSubstr("d/50.txt: not in revision main")));
  resolve_ = [this](const HttpRequest& request) { return file(request); };
  EXPECT_LT(run().received_bytes, watcher_.total);
}

TEST_F(Downloads, CanBeCancelled) {
  resolve_ = [this](const HttpRequest&) {
    cancel_.cancel();
    return fake_answer(503, {});
  };
  EXPECT_THAT(error_of([&] { run(); }), IsError(ErrorCode::kCancelled, "interrupted"));
}

TEST_F(Downloads, ConversionsFetchWhatIsMissingAndNoMore) {
  fetch();
  EXPECT_THAT(log_, SizeIs(files_.size() + 2));
  log_.clear();
  fetch();
  EXPECT_THAT(log_, IsEmpty());
  std::filesystem::remove(folder_ / fmt::format("hub/models--org--name/snapshots/{}/d/1.txt", kCommitA));
  std::filesystem::remove(folder_ / fmt::format("hub/models--org--name/blobs/{}", hash_of(files_.at("d/1.txt"))));
  fetch();
  EXPECT_THAT(log_, ElementsAre(HasSubstr("/revision/main"), HasSubstr("/d/1.txt")));
}

TEST_F(Downloads, ConversionsGoOnWithoutTheHubWhereTheyCan) {
  run();
  std::filesystem::remove(folder_ / fmt::format("hub/models--org--name/snapshots/{}/d/1.txt", kCommitA));
  std::filesystem::remove(folder_ / fmt::format("hub/models--org--name/blobs/{}", hash_of(files_.at("d/1.txt"))));
  resolve_ = [](const HttpRequest&) { return fake_answer(404, {{"x-error-code", "EntryNotFound"}}); };
  EXPECT_THAT(error_of([&] { fetch(); }), IsError(ErrorCode::kNotFound, HasSubstr("d/1.txt")));
  resolve_ = [](const HttpRequest&) { return fake_answer(418, {}); };
  fetch();
  EXPECT_THAT(watcher_.notes, ElementsAre(HasSubstr("used as it is")));
}

}  // namespace
}  // namespace hf2mlx
