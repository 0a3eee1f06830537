#include "hub/transfer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_error.h"
#include "base/temp_folder.h"
#include "hub/fake_http.h"
#include "source/test_model.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kContent = "0123456789";

// Everything on one host, which is the hub.
class Transfers : public testing::Test {
 protected:
  TempFolder folder_;
  HubOptions options_{"https://hub", "", false, 10};
  TreeEntry entry_{"f.safetensors", 10, kCommitB, "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882", ""};
  std::unique_ptr<Place> place_ = cache_place(folder_ / "hub", "org/name", kCommitA);
  std::vector<HttpRequest> log_;
  std::vector<std::string> notes_;
  int64_t advanced_ = 0;
  uint64_t received_ = 0;
  int sleeps_ = 0;

  void run(FakeHttp::Answer answer) {
    Session session(options_, std::make_unique<FakeHttp>(std::move(answer), log_));
    const TransferEvents events{.advanced = [&](int64_t bytes) { advanced_ += bytes; },
                                .received = [&](uint64_t bytes) { received_ += bytes; },
                                .noted = [&](const std::string& line) { notes_.push_back(line); },
                                .sleep = [&](std::chrono::milliseconds) { ++sleeps_; }};
    Transfer(session, *place_, {"org/name", "main", ""}, kCommitA, entry_, events).run();
  }
  std::string kept() { return folder_.text("hub/models--org--name/snapshots/" + std::string(kCommitA) + "/f.safetensors"); }
  std::string partial_name() const { return "hub/models--org--name/blobs/" + entry_.etag() + ".incomplete"; }
  std::map<std::string, std::string> headers() const { return {{"x-repo-commit", kCommitA}, {"etag", '"' + entry_.etag() + '"'}}; }

  FakeAnswer whole() const { return fake_answer(200, headers(), kContent); }
  FakeAnswer from(size_t begin, size_t count = 10) const {
    auto with_range = headers();
    with_range["content-range"] = fmt::format("bytes {}-9/10", begin);
    return fake_answer(206, with_range, kContent.substr(begin, count));
  }
};

TEST_F(Transfers, AFileArrives) {
  run([&](const HttpRequest&) { return whole(); });
  EXPECT_EQ(kept(), kContent);
  EXPECT_EQ(log_.at(0).url, fmt::format("https://hub/org/name/resolve/{}/f.safetensors", kCommitA));
  EXPECT_THAT(log_.at(0).headers, IsEmpty());
  EXPECT_EQ(advanced_, 10);
  EXPECT_EQ(received_, 10u);
  EXPECT_EQ(folder_.names("hub/models--org--name/blobs"), std::set<std::string>{entry_.etag()});
}

TEST_F(Transfers, GoesOnWhereAnEarlierRunEnded) {
  folder_.put(partial_name(), "0123");
  run([&](const HttpRequest&) { return from(4); });
  EXPECT_EQ(kept(), kContent);
  EXPECT_THAT(log_.at(0).headers, ElementsAre("Range: bytes=4-", "If-Range: \"" + entry_.etag() + "\""));
  EXPECT_EQ(received_, 6u);
  EXPECT_EQ(advanced_, 10);
}

TEST_F(Transfers, GoesOnWhereTheConnectionBroke) {
  run([&](const HttpRequest&) {
    switch (log_.size()) {
      case 1:
        return broken(fake_answer(200, headers(), "012"));
      case 2:
        return broken(FakeAnswer{});
      case 3:
        return from(3, 2);  // claims to be complete
      default:
        return from(5);
    }
  });
  EXPECT_EQ(kept(), kContent);
  EXPECT_EQ(received_, 10u);
  EXPECT_EQ(sleeps_, 3);
  EXPECT_THAT(log_.at(3).headers, Contains("Range: bytes=5-"));
}

TEST_F(Transfers, ServersWithoutRangesBeginAnew) {
  folder_.put(partial_name(), "0123");
  run([&](const HttpRequest&) { return whole(); });
  EXPECT_EQ(kept(), kContent);
  EXPECT_EQ(advanced_, 10);
}

TEST_F(Transfers, AWrongChecksumIsTriedOnceMore) {
  folder_.put(partial_name(), "01x3");  // what a power cut may leave
  run([&](const HttpRequest&) { return log_.size() == 1 ? from(4) : whole(); });
  EXPECT_EQ(kept(), kContent);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("f.safetensors: the checksum is wrong")));
  EXPECT_THAT(log_.at(1).headers, IsEmpty());
  EXPECT_EQ(advanced_, 10);
  EXPECT_EQ(folder_.names("hub/models--org--name/blobs"), std::set<std::string>{entry_.etag()});
}

TEST_F(Transfers, AChecksumThatStaysWrongIsNamedAndTheContentKept) {
  const Error error = error_of([&] { run([&](const HttpRequest&) { return fake_answer(200, headers(), "wrong!!!!!"); }); });
  EXPECT_THAT(error,
              IsError(ErrorCode::kCorrupt, HasSubstr("f.safetensors: the checksum is wrong, twice"), HasSubstr(".incomplete.wrong")));
  EXPECT_EQ(folder_.names("hub/models--org--name/blobs"), std::set<std::string>{entry_.etag() + ".incomplete.wrong"});
  EXPECT_EQ(log_.size(), 2u);
}

TEST_F(Transfers, AnotherFileOrCommitIsNotWritten) {
  auto other = headers();
  other["etag"] = "\"0000\"";
  EXPECT_THAT(error_of([&] { run([&](const HttpRequest&) { return fake_answer(200, other, kContent); }); }),
              IsError(ErrorCode::kCorrupt, HasSubstr("content 0000")));
  other = headers();
  other["x-repo-commit"] = kCommitB;
  EXPECT_THAT(error_of([&] { run([&](const HttpRequest&) { return fake_answer(200, other, kContent); }); }),
              IsError(ErrorCode::kCorrupt, HasSubstr(kCommitB)));
  EXPECT_EQ(received_, 0u);
}

TEST_F(Transfers, MoreThanThereIsToBe) {
  EXPECT_THAT(error_of([&] { run([&](const HttpRequest&) { return fake_answer(200, headers(), kContent + "x"); }); }),
              IsError(ErrorCode::kCorrupt, HasSubstr("more than its 10 bytes")));
}

TEST_F(Transfers, AnotherRangeThanAsked) {
  folder_.put(partial_name(), "0123");
  EXPECT_THAT(error_of([&] { run([&](const HttpRequest&) { return from(5); }); }),
              IsError(ErrorCode::kNetwork, HasSubstr("found the range 'bytes 5-9/10', expected one from byte 4")));
  EXPECT_EQ(folder_.text(partial_name()), "0123");
}

TEST_F(Transfers, GivesUpInTheEnd) {
  EXPECT_THAT(error_of([&] { run([&](const HttpRequest&) { return fake_answer(503, {}); }); }),
              IsError(ErrorCode::kNetwork, HasSubstr("org/name: f.safetensors: the hub answers 503")));
  EXPECT_EQ(sleeps_, 4);
}

TEST_F(Transfers, EmptyFilesNeedNoRequest) {
  entry_ = {"f.safetensors", 0, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "", ""};
  run([&](const HttpRequest&) { return fake_answer(500, {}); });
  EXPECT_EQ(kept(), "");
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(Transfers, WhatIsThereIsNotFetched) {
  run([&](const HttpRequest&) { return whole(); });
  fs::remove(folder_ / ("hub/models--org--name/snapshots/" + std::string(kCommitA) + "/f.safetensors"));
  run([&](const HttpRequest&) { return fake_answer(500, {}); });
  EXPECT_EQ(kept(), kContent);
  EXPECT_EQ(log_.size(), 1u);
}

}  // namespace
}  // namespace hf2mlx
