#include "hub/transfer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <thread>

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
using testing::SizeIs;

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

  TransferEvents events() {
    return {.advanced = [&](int64_t bytes) { advanced_ += bytes; },
            .received = [&](uint64_t bytes) { received_ += bytes; },
            .noted = [&](const std::string& line) { notes_.push_back(line); },
            .sleep = [&](std::chrono::milliseconds) { ++sleeps_; }};
  }
  void run(FakeHttp::Answer answer) {
    Session session(options_, std::make_unique<FakeHttp>(std::move(answer), log_));
    const TransferEvents events = this->events();
    Transfer(options_, *place_, {"org/name", "main", ""}, kCommitA, entry_, events).run(session);
  }
  // Of an earlier run.
  void leave(const std::string& text) {
    fs::create_directories(place_->partial_of(entry_).parent_path());
    PartialFile file(place_->partial_of(entry_), entry_);
    ByteRange claim = file.claim(1);
    file.write(claim, std::as_bytes(std::span(text)));
  }
  uint64_t left_bytes() const { return arrived_bytes_of(place_->partial_of(entry_), entry_); }
  std::string kept() { return folder_.text("hub/models--org--name/snapshots/" + std::string(kCommitA) + "/f.safetensors"); }
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
  leave("0123");
  run([&](const HttpRequest&) { return from(4); });
  EXPECT_EQ(kept(), kContent);
  EXPECT_THAT(log_.at(0).headers, ElementsAre("Range: bytes=4-9", "If-Range: \"" + entry_.etag() + "\""));
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
  EXPECT_THAT(log_.at(3).headers, Contains("Range: bytes=5-9"));
}

TEST_F(Transfers, ServersWithoutRangesBeginAnew) {
  leave("0123");
  run([&](const HttpRequest&) { return whole(); });
  EXPECT_EQ(kept(), kContent);
  EXPECT_EQ(advanced_, 10);
}

TEST_F(Transfers, AWrongChecksumIsTriedOnceMore) {
  leave("01x3");  // what a power cut may leave
  run([&](const HttpRequest&) { return log_.size() == 1 ? from(4) : whole(); });
  EXPECT_EQ(kept(), kContent);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("f.safetensors: the checksum is wrong")));
  EXPECT_THAT(log_.at(1).headers, IsEmpty());
  EXPECT_EQ(advanced_, 10);
  EXPECT_EQ(folder_.names("hub/models--org--name/blobs"), std::set<std::string>{entry_.etag()});
}

TEST_F(Transfers, AChecksumThatStaysWrongIsNamedAndTheContentKept) {
  const Error error = error_of([&] { run([&](const HttpRequest&) { return fake_answer(200, headers(), "wrong!!!!!"); }); });
  EXPECT_THAT(
      error, IsError(ErrorCode::kCorrupt, HasSubstr("f.safetensors: the checksum is wrong, twice"), HasSubstr(".hf2mlx.incomplete.wrong")));
  EXPECT_EQ(folder_.names("hub/models--org--name/blobs"), std::set<std::string>{entry_.etag() + ".hf2mlx.incomplete.wrong"});
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
              IsError(ErrorCode::kCorrupt, HasSubstr("more bytes arrive than were asked for, up to byte 10")));
}

TEST_F(Transfers, AnotherRangeThanAsked) {
  leave("0123");
  EXPECT_THAT(error_of([&] { run([&](const HttpRequest&) { return from(5); }); }),
              IsError(ErrorCode::kNetwork, HasSubstr("found the range 'bytes 5-9/10', expected one from byte 4")));
  EXPECT_EQ(left_bytes(), 4u);
}

TEST_F(Transfers, GivesUpInTheEnd) {
  EXPECT_THAT(error_of([&] { run([&](const HttpRequest&) { return fake_answer(503, {}); }); }),
              IsError(ErrorCode::kNetwork, HasSubstr("org/name: f.safetensors: the hub answers 503")));
  EXPECT_EQ(sleeps_, 4);
}

// A file of several parts, and a server that sends what is asked for.
class Parts : public Transfers {
 protected:
  const std::string large_ = std::string(kLeastPartBytes, 'a') + std::string(kLeastPartBytes, 'b') + "end";
  bool is_redirected_ = true;
  std::mutex mutex_;  // guards all below
  std::vector<std::string> ranges_;
  size_t hub_requests_ = 0;

  void SetUp() override {
    Digest digest(Hash::kSha256);
    digest.update(std::as_bytes(std::span(large_)));
    entry_ = {"f.safetensors", large_.size(), kCommitB, digest.finish(), ""};
  }

  FakeAnswer part_of(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    if (request.url.starts_with("https://hub")) {
      ++hub_requests_;
      auto found = headers();
      found["location"] = "https://storage/x";
      if (is_redirected_) return fake_answer(302, found);
    }
    const std::string range = request.headers.empty() ? "" : request.headers.front();
    ranges_.push_back(range);
    unsigned long long begin = 0;
    unsigned long long last = large_.size() - 1;
    if (std::sscanf(range.c_str(), "Range: bytes=%llu-%llu", &begin, &last) == 0) return fake_answer(200, {}, large_);
    return fake_answer(206, {{"content-range", fmt::format("bytes {}-{}/{}", begin, last, large_.size())}},
                       large_.substr(begin, last + 1 - begin));
  }
};

TEST_F(Parts, EachIsARequestAndTheHubIsAskedOnce) {
  run([&](const HttpRequest& request) { return part_of(request); });
  EXPECT_EQ(kept(), large_);
  EXPECT_THAT(ranges_, ElementsAre("Range: bytes=0-16777215", "Range: bytes=16777216-33554431", "Range: bytes=33554432-33554434"));
  EXPECT_EQ(hub_requests_, 1u);
}

TEST_F(Parts, AnAddressThatIsNoLongerGoodIsAskedForAgain) {
  run([&](const HttpRequest& request) { return log_.size() == 3 ? fake_answer(410, {}) : part_of(request); });
  EXPECT_EQ(kept(), large_);
  EXPECT_EQ(hub_requests_, 2u);
  EXPECT_EQ(sleeps_, 0);
}

TEST_F(Parts, SeveralConnectionsBringThem) {
  std::vector<HttpRequest> other_log;
  TransferEvents events = this->events();
  Transfer transfer(options_, *place_, {"org/name", "main", ""}, kCommitA, entry_, events);
  Session other(options_, std::make_unique<FakeHttp>([&](const HttpRequest& request) { return part_of(request); }, other_log));
  EXPECT_FALSE(transfer.help(other));  // it has not begun
  std::thread helper;
  Session session(options_, std::make_unique<FakeHttp>(
                                [&](const HttpRequest& request) {
                                  if (log_.size() == 3) {  // one part is here: the other connection brings the rest before this one goes on
                                    helper = std::thread([&] { EXPECT_TRUE(transfer.help(other)); });
                                    helper.join();
                                  }
                                  return part_of(request);
                                },
                                log_));
  transfer.run(session);
  EXPECT_EQ(kept(), large_);
  EXPECT_THAT(ranges_, ElementsAre("Range: bytes=0-16777215", "Range: bytes=33554432-33554434", "Range: bytes=16777216-33554431"));
  EXPECT_THAT(other_log, SizeIs(1));
  EXPECT_FALSE(transfer.help(other));  // it is over
}

TEST_F(Parts, AServerWithoutRangesSendsAllAtOnce) {
  is_redirected_ = false;
  run([&](const HttpRequest&) { return fake_answer(200, headers(), large_); });
  EXPECT_EQ(kept(), large_);
  EXPECT_EQ(received_, large_.size());
  EXPECT_EQ(log_.size(), 1u);
}

TEST_F(Parts, AServerThatForgetsRangesBeginsAnew) {
  run([&](const HttpRequest& request) { return log_.size() == 3 ? fake_answer(200, {}, large_) : part_of(request); });
  EXPECT_EQ(kept(), large_);
  EXPECT_EQ(received_, kLeastPartBytes + large_.size());
  EXPECT_EQ(static_cast<uint64_t>(advanced_), large_.size());
}

TEST_F(Parts, AServerThatAlwaysEndsEarlyIsGivenUp) {
  is_redirected_ = false;
  EXPECT_THAT(error_of([&] { run([&](const HttpRequest&) { return fake_answer(200, headers(), "aaa"); }); }),
              IsError(ErrorCode::kNetwork, HasSubstr("it ended at byte 3, expected 33554435")));
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
