#include "hub/uploader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "base/expect_error.h"
#include "base/json.h"
#include "base/temp_folder.h"
#include "hub/fake_http.h"
#include "source/test_model.h"

namespace hf2mlx {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr size_t kPartBytes = 1000;
constexpr size_t kParts = 40;

// A hub with an empty repository, to which a large file goes in parts.
class Uploads : public testing::Test {
 protected:
  TempFolder folder_;
  CancelToken cancel_;
  std::string weights_;
  std::map<std::string, std::string> known_;  // SHA-256 by path
  std::function<FakeAnswer(size_t part)> take_ = [](size_t part) { return fake_answer(200, {{"etag", fmt::format("\"{}\"", part)}}); };

  std::mutex mutex_;  // guards all below
  std::map<size_t, std::string> parts_;
  std::map<std::string, std::string> sent_;  // the last content for each address of the hub

  void SetUp() override {
    for (size_t i = 0; i < kParts; ++i) weights_ += std::string(kPartBytes, static_cast<char>('a' + i % 26));
    folder_.put("model.safetensors", weights_);
    folder_.put("config.json", "{}");
  }

  static std::string text_of(const Reader& content) {
    std::string text(content.size(), '\0');
    content.read_at(0, std::as_writable_bytes(std::span(text)));
    return text;
  }

  static std::string batch() {
    Json header = {{"chunk_size", std::to_string(kPartBytes)}};
    for (size_t i = 1; i <= kParts; ++i) header[fmt::format("{:05}", i)] = fmt::format("https://storage/{}", i);
    return Json{{"objects", {{{"actions", {{"upload", {{"href", "https://hub/complete"}, {"header", header}}}}}}}}}.dump();
  }

  FakeAnswer answer(const HttpRequest& request) {
    const std::string text = request.content == nullptr ? "" : text_of(*request.content);
    if (request.url.starts_with("https://storage/")) {
      const size_t part = std::stoul(request.url.substr(request.url.rfind('/') + 1));
      const FakeAnswer taken = take_(part);
      const std::lock_guard lock(mutex_);
      if (taken.response.is_success()) parts_[part] = text;
      return taken;
    }
    const std::lock_guard lock(mutex_);
    sent_[request.url] = text;
    if (request.url.ends_with("/revision/main")) return fake_answer(200, {}, fmt::format(R"({{"sha":"{}"}})", kCommitA));
    if (request.url.find("/tree/") != std::string::npos) return fake_answer(200, {}, "[]");
    if (request.url.ends_with("/objects/batch")) return fake_answer(200, {}, batch());
    if (request.url.ends_with("/commit/main")) return fake_answer(200, {}, R"({"commitOid": "c0ffee"})");
    if (request.url.ends_with("/preupload/main")) {
      return fake_answer(
          200, {}, R"({"files": [{"path": "model.safetensors", "uploadMode": "lfs"}, {"path": "config.json", "uploadMode": "regular"}]})");
    }
    return fake_answer(200, {}, "{}");
  }

  UploadReport run() {
    UploadOptions options;
    options.folder = folder_.path();
    options.repo = "me/mine";
    options.hub = {"https://hub", "secret", false, 10};
    options.sha256 = known_;
    const ConnectionFactory connect = [this](std::function<void()> check_stop) {
      const std::lock_guard lock(mutex_);
      logs_.push_back(std::make_unique<std::vector<HttpRequest>>());
      return std::make_unique<FakeHttp>(
          [this, check_stop](const HttpRequest& request) {
            check_stop();
            return answer(request);
          },
          *logs_.back());
    };
    return Uploader(options, connect, nullptr, &cancel_).run();
  }

 private:
  std::vector<std::unique_ptr<std::vector<HttpRequest>>> logs_;
};

TEST_F(Uploads, PartsGoByAllConnectionsAndAreNamedInOrder) {
  const UploadReport report = run();
  EXPECT_EQ(report.commit, "c0ffee");
  EXPECT_EQ(report.sent_bytes, weights_.size());
  std::string stored;
  for (const auto& [part, content] : parts_) stored += content;
  EXPECT_EQ(stored, weights_);
  const Json complete = Json::parse(sent_["https://hub/complete"]);
  ASSERT_EQ(complete["parts"].size(), kParts);
  for (size_t i = 0; i < kParts; ++i) {
    EXPECT_EQ(complete["parts"][i], (Json{{"partNumber", i + 1}, {"etag", fmt::format("\"{}\"", i + 1)}}));
  }
}

TEST_F(Uploads, WhatIsKnownIsNotHashedAgain) {
  known_ = {{"model.safetensors", std::string(64, '7')}, {"config.json", std::string(64, '8')}};
  run();
  EXPECT_THAT(sent_["https://hub/me/mine.git/info/lfs/objects/batch"], HasSubstr(known_["model.safetensors"]));
  EXPECT_THAT(sent_["https://hub/api/models/me/mine/commit/main"], HasSubstr(known_["model.safetensors"]));
}

TEST_F(Uploads, TheFirstErrorEndsAllAndNothingIsCommitted) {
  take_ = [](size_t part) { return part == 20 ? fake_answer(400, {{"x-error-message", "not this"}}) : fake_answer(200, {{"etag", "x"}}); };
  EXPECT_THAT(error_of([&] { run(); }), IsError(ErrorCode::kNetwork, HasSubstr("400: not this")));
  EXPECT_EQ(parts_.count(20), 0u);
  EXPECT_EQ(sent_.count("https://hub/complete"), 0u);
  EXPECT_EQ(sent_.count("https://hub/api/models/me/mine/commit/main"), 0u);
}

TEST_F(Uploads, CanBeCancelled) {
  take_ = [this](size_t) {
    cancel_.cancel();
    return fake_answer(503, {});
  };
  EXPECT_THAT(error_of([&] { run(); }), IsError(ErrorCode::kCancelled, "interrupted"));
  EXPECT_THAT(parts_, IsEmpty());
}

}  // namespace
}  // namespace hf2mlx
