#include "hub/upload_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_error.h"
#include "hub/content.h"
#include "hub/fake_http.h"
#include "io/text_reader.h"

namespace hf2mlx {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string text_of(const Reader& content) {
  std::string text(content.size(), '\0');
  content.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

class UploadApiTest : public testing::Test {
 protected:
  // What the hub answers to one request after the other.
  UploadApi& api(std::vector<FakeAnswer> answers) {
    answers_ = std::move(answers);
    session_.emplace(options_, std::make_unique<FakeHttp>(
                                   [this](const HttpRequest& request) {
                                     sent_.push_back(request.content == nullptr ? "" : text_of(*request.content));
                                     return answers_.at(sent_.size() - 1);
                                   },
                                   log_));
    return api_.emplace(*session_, Wanted{"me/mine", "main", "", Access::kWrite}, [this](auto) { ++pauses_; });
  }

  HubOptions options_{"https://hub.example", "secret", false, 10};
  std::vector<FakeAnswer> answers_;
  std::vector<HttpRequest> log_;
  std::vector<std::string> sent_;
  int pauses_ = 0;
  std::optional<Session> session_;
  std::optional<UploadApi> api_;
};

TEST_F(UploadApiTest, ARepositoryThatIsThereIsAsGoodAsANewOne) {
  EXPECT_FALSE(api({fake_answer(200, {})}).create());
  EXPECT_EQ(log_[0].url, "https://hub.example/api/repos/create");
  EXPECT_EQ(log_[0].method, "POST");
  EXPECT_EQ(Json::parse(sent_[0]), Json::parse(R"({"type": "model", "organization": "me", "name": "mine"})"));
  EXPECT_THAT(log_[0].headers, Contains("Authorization: Bearer secret"));
  sent_.clear();
  EXPECT_FALSE(api({fake_answer(409, {})}).create());
}

TEST_F(UploadApiTest, WhoMayNotMakeOneIsToldWhy) {
  const auto refused = api({fake_answer(403, {{"x-error-message", "no rights"}})}).create();
  ASSERT_TRUE(refused);
  EXPECT_THAT(*refused, IsError(ErrorCode::kAuth, HasSubstr("no rights")));
  EXPECT_THAT(refused->hint(), HasSubstr("write to"));
}

TEST_F(UploadApiTest, EmptyFilesAreSmallWhateverTheHubSays) {
  const FakeAnswer answer = fake_answer(
      200, {},
      R"({"files": [{"path": "b", "uploadMode": "regular"}, {"path": "a", "uploadMode": "lfs"}, {"path": "empty", "uploadMode": "lfs"}]})");
  EXPECT_THAT(api({answer}).storage_of({{"a", 5, "abcde"}, {"b", 1, "b"}, {"empty", 0, ""}}),
              ElementsAre(Storage::kLarge, Storage::kSmall, Storage::kSmall));
  EXPECT_EQ(Json::parse(sent_[0])["files"][0], Json::parse(R"({"path": "a", "size": 5, "sample": "YWJjZGU="})"));
}

TEST_F(UploadApiTest, AFileThatTheHubSaysNothingOfIsAnError) {
  UploadApi& hub = api({fake_answer(200, {}, R"({"files": []})")});
  EXPECT_THAT(error_of([&] { hub.storage_of({{"a", 5, "abcde"}}); }), IsError(ErrorCode::kCorrupt, HasSubstr("says nothing of a")));
}

TEST_F(UploadApiTest, AddressesOfPartsAreInTheOrderOfTheirNumbers) {
  const FakeAnswer answer = fake_answer(200, {}, R"({"objects": [{"oid": "f", "size": 25, "actions": {
      "upload": {"href": "https://hub.example/done", "header": {"chunk_size": "10", "10": "x", "2": "b", "1": "a"}},
      "verify": {"href": "https://hub.example/verify"}}}]})");
  UploadApi& hub = api({answer, answer});
  const LargeFileTarget target = hub.target_of("f", 25);
  EXPECT_THAT(target.parts, ElementsAre("a", "b", "x"));
  EXPECT_EQ(target.part_bytes, 10u);
  EXPECT_EQ(target.verify_url, "https://hub.example/verify");
  EXPECT_THAT(error_of([&] { hub.target_of("f", 31); }), IsError(ErrorCode::kCorrupt, HasSubstr("3 parts of 10 bytes for a file of 31")));
}

TEST_F(UploadApiTest, WhatTheHubHasNeedsNotBeSent) {
  EXPECT_TRUE(api({fake_answer(200, {}, R"({"objects": [{"oid": "f", "size": 5}]})")}).target_of("f", 5).is_there);
}

TEST_F(UploadApiTest, TheStorageGetsNoTokenAndIsAskedAgain) {
  UploadApi& hub = api({fake_answer(503, {}), fake_answer(200, {{"etag", "\"1\""}})});
  EXPECT_EQ(hub.put("https://storage.example/x", TextReader("content")), "\"1\"");
  EXPECT_THAT(sent_, ElementsAre("content", "content"));
  EXPECT_EQ(log_[0].method, "PUT");
  EXPECT_THAT(log_[0].headers, Not(Contains(HasSubstr("secret"))));
  EXPECT_EQ(pauses_, 1);
}

TEST_F(UploadApiTest, ACommitIsOneLineForEachOperation) {
  UploadApi& hub = api({fake_answer(200, {}, R"({"commitOid": "c0ffee"})")});
  EXPECT_EQ(hub.commit("all", {{{"key", "deletedFile"}, {"value", {{"path", "old"}}}}}), "c0ffee");
  EXPECT_EQ(log_[0].url, "https://hub.example/api/models/me/mine/commit/main");
  EXPECT_EQ(sent_[0],
            "{\"key\":\"header\",\"value\":{\"description\":\"\",\"summary\":\"all\"}}\n"
            "{\"key\":\"deletedFile\",\"value\":{\"path\":\"old\"}}\n");
  sent_.clear();
  UploadApi& other = api({fake_answer(200, {}, "{}")});
  EXPECT_THAT(error_of([&] { other.commit("all", {}); }), IsError(ErrorCode::kCorrupt, HasSubstr("commitOid")));
}

TEST(PartContent, CountsWhatIsSentAgainOnce) {
  const TextReader file("0123456789");
  uint64_t advanced = 0;
  const PartContent part(file, 2, 6, [&](uint64_t bytes) { advanced += bytes; });
  std::string text(4, '\0');
  for (const uint64_t offset : {0, 0, 2}) part.read_at(offset, std::as_writable_bytes(std::span(text)));
  EXPECT_EQ(text, "4567");
  EXPECT_EQ(advanced, 6u);
}

}  // namespace
}  // namespace hf2mlx
