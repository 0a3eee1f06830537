// A file of random bytes at a hub that is a function: what blocks read of it, what is asked for, and what is noticed.
#include "hub/weight_stream.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>

#include "base/expect_error.h"
#include "base/temp_folder.h"
#include "hub/fake_http.h"
#include "io/digest.h"
#include "source/test_model.h"

namespace hf2mlx {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint64_t kWindow = 4096;
constexpr uint64_t kHeader = 100;  // of which 64 bytes are hashed at once, and the rest comes again
constexpr uint64_t kBase = 64;

std::string random_text(size_t size) {
  std::mt19937 random(1);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

std::string sha256_text(const std::string& text) {
  Digest digest(Hash::kSha256);
  digest.update(std::as_bytes(std::span(text)));
  return digest.finish();
}

class MemoryLedger final : public StreamLedger {
 public:
  std::vector<Sha256State> known(uint32_t) override { return states; }
  void hashed(uint32_t, uint32_t window, const Sha256State& state) override {
    EXPECT_EQ(window, states.size());
    states.push_back(state);
  }
  std::vector<Sha256State> states;
};

class WeightStreamTest : public testing::Test {
 protected:
  // One run over the file.
  struct Run {
    explicit Run(WeightStreamTest& test, size_t windows = 4, unsigned readers = 1)
        : link(HubOptions{"https://hub", "", false, 10}, test.connections(), nullptr),
          file(std::make_shared<RemoteFile>(link, Wanted{"org/name", "main", ""}, kCommitA, test.entry_)) {
      std::vector<std::byte> header(kHeader);
      file->read_at(0, header);
      stream = std::make_unique<WeightStream>(link, std::vector{file}, test.ledger_,
                                              StreamOptions{kWindow, windows, readers, test.folder_.path() / "overflow"});
    }
    std::string read(uint64_t offset, uint64_t size) const {
      std::string text(size, '\0');
      file->read_at(offset, std::as_writable_bytes(std::span(text)));
      return text;
    }
    // Blocks that follow each other, `size` bytes each.
    void read_in_order(uint64_t size, const std::string& content) const {
      std::vector<std::pair<uint64_t, uint64_t>> blocks;
      for (uint64_t at = kHeader; at < content.size(); at += size) blocks.emplace_back(at, std::min<uint64_t>(at + size, content.size()));
      for (const auto& [begin, end] : blocks) stream->expect({{0, begin, end}});
      stream->start();
      for (size_t i = 0; i < blocks.size(); ++i) {
        EXPECT_EQ(read(blocks[i].first, blocks[i].second - blocks[i].first),
                  content.substr(blocks[i].first, blocks[i].second - blocks[i].first));
        stream->finished(i);
      }
    }

    HubLink link;
    std::shared_ptr<RemoteFile> file;
    std::unique_ptr<WeightStream> stream;
  };

  ConnectionFactory connections() {
    return [this](std::function<void()>) {
      const std::lock_guard lock(mutex_);
      logs_.push_back(std::make_unique<std::vector<HttpRequest>>());
      return std::make_unique<FakeHttp>([this](const HttpRequest& request) { return answer(request); }, *logs_.back());
    };
  }

  FakeAnswer answer(const HttpRequest& request) {
    const auto range = std::find_if(request.headers.begin(), request.headers.end(), [](const auto& h) { return h.starts_with("Range:"); });
    unsigned long begin = 0, last = 0;
    EXPECT_EQ(std::sscanf(range->c_str(), "Range: bytes=%lu-%lu", &begin, &last), 2);
    const std::lock_guard lock(mutex_);
    std::string body = content_.substr(begin, last + 1 - begin);
    if (begin >= kHeader / 2) ++asked_[begin];
    if (change_ && change_(begin)) body.back() ^= 1;
    return fake_answer(206, {{"content-range", fmt::format("bytes {}-{}/{}", begin, last, content_.size())}, {"x-repo-commit", kCommitA}},
                       body);
  }

  uint64_t window_begin(size_t i) const { return kBase + i * kWindow; }
  unsigned times(size_t window) { return asked_[window_begin(window)]; }

  TempFolder folder_;
  const std::string content_ = random_text(20 * kWindow + 1234);
  const TreeEntry entry_{"model.safetensors", content_.size(), "", sha256_text(content_), ""};
  MemoryLedger ledger_;
  std::mutex mutex_;  // guards all below
  std::vector<std::unique_ptr<std::vector<HttpRequest>>> logs_;
  std::map<uint64_t, unsigned> asked_;                // begin of a range -> how often
  std::function<bool(uint64_t begin_bytes)> change_;  // spoils an answer
};

TEST_F(WeightStreamTest, BringsEveryByteOnce) {
  Run run(*this);
  run.read_in_order(1000, content_);
  run.stream->finish();
  EXPECT_EQ(asked_.size(), 21u);
  for (size_t i = 0; i < 21; ++i) EXPECT_EQ(times(i), 1u) << i;
  EXPECT_EQ(ledger_.states.size(), 21u);
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(WeightStreamTest, HashesWhatNobodyReads) {
  Run run(*this);
  run.stream->start();
  run.stream->finish();
  EXPECT_EQ(asked_.size(), 21u);
}

TEST_F(WeightStreamTest, PutsOnDiskWhatABlockNeedsAtOnceAndMemoryDoesNotHold) {
  Run run(*this);
  for (int i = 0; i < 3; ++i) run.stream->expect({{0, kHeader, content_.size()}});
  run.stream->start();
  for (size_t i = 0; i < 3; ++i) {
    for (uint64_t at = kHeader + i; at + 10 < content_.size(); at += 3000) EXPECT_EQ(run.read(at, 10), content_.substr(at, 10));
    EXPECT_EQ(folder_.names(), std::set<std::string>{"overflow"});
    EXPECT_LE(std::filesystem::file_size(folder_ / "overflow"), 21 * kWindow);
    run.stream->finished(i);
  }
  run.stream->finish();
  for (size_t i = 0; i < 21; ++i) EXPECT_EQ(times(i), 1u) << i;
  run.stream.reset();
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(WeightStreamTest, FetchesForItselfWhatWasNotAnnounced) {
  Run run(*this);
  run.stream->expect({{0, kHeader, kHeader + 10}});
  EXPECT_EQ(run.read(window_begin(15), 20), content_.substr(window_begin(15), 20));
  run.stream->start();
  run.stream->finish();
  EXPECT_EQ(run.read(window_begin(15) + kWindow - 10, 20), content_.substr(window_begin(15) + kWindow - 10, 20));
  EXPECT_EQ(times(15), 2u);  // for itself, and as it came by
  EXPECT_EQ(times(16), 2u);
  EXPECT_EQ(times(14), 1u);
}

TEST_F(WeightStreamTest, WrongContentIsAnError) {
  change_ = [this](uint64_t begin) { return begin == window_begin(7); };
  Run run(*this);
  run.stream->start();
  EXPECT_THAT(error_of([&] { run.stream->finish(); }),
              IsError(ErrorCode::kCorrupt, HasSubstr("org/name: model.safetensors: the checksum is wrong: expected " + entry_.sha256)));
}

TEST_F(WeightStreamTest, WhatWasReadBeforeMustBeTheSameInTheStream) {
  change_ = [this](uint64_t begin) { return begin == window_begin(15) && asked_[begin] == 1; };
  Run run(*this);
  run.read(window_begin(15), 20);
  run.stream->start();
  EXPECT_THAT(error_of([&] { run.stream->finish(); }), IsError(ErrorCode::kCorrupt, HasSubstr("the checksum is wrong")));
}

TEST_F(WeightStreamTest, WhatIsReadAfterwardsMustBeTheSameAsInTheStream) {
  change_ = [this](uint64_t begin) { return begin == window_begin(20) && asked_[begin] == 2; };
  Run run(*this);
  run.stream->start();
  run.stream->finish();
  EXPECT_EQ(run.read(window_begin(3), 20), content_.substr(window_begin(3), 20));
  EXPECT_THAT(error_of([&] { run.read(window_begin(20), 20); }), IsError(ErrorCode::kCorrupt, HasSubstr("the checksum is wrong")));
}

// Nine windows are hashed; of these a block needs one once more.
class ContinuedStreamTest : public WeightStreamTest {
 protected:
  ContinuedStreamTest() {
    Run run(*this);
    run.stream->start();
    run.stream->finish();
    ledger_.states.resize(9);
    asked_.clear();
  }
  void go_on() {
    Run run(*this);
    run.stream->expect({{0, window_begin(5), window_begin(6)}});
    run.stream->start();
    EXPECT_EQ(run.read(window_begin(5), kWindow), content_.substr(window_begin(5), kWindow));
    run.stream->finished(0);
    run.stream->finish();
  }
};

TEST_F(ContinuedStreamTest, AsksForTheRestAndForWhatIsNeeded) {
  go_on();
  EXPECT_EQ(asked_.size(), 21u - 9u + 1u);
  EXPECT_EQ(times(5), 1u);
  EXPECT_EQ(ledger_.states.size(), 21u);
}

TEST_F(ContinuedStreamTest, WhatComesAgainMustBeTheSame) {
  change_ = [this](uint64_t begin) { return begin == window_begin(5); };
  EXPECT_EQ(error_of([&] {
              Run run(*this);
              run.stream->expect({{0, window_begin(5), window_begin(6)}});
              run.stream->start();
              run.stream->finish();
            }).code(),
            ErrorCode::kCorrupt);
}

TEST_F(ContinuedStreamTest, AWrongJournalEndsWithAWrongChecksum) {
  ledger_.states.back()[0] ^= std::byte{1};
  Run run(*this);
  run.stream->start();
  EXPECT_EQ(error_of([&] { run.stream->finish(); }).code(), ErrorCode::kCorrupt);
}

TEST_F(ContinuedStreamTest, NothingIsLeftOfAFileThatWasWhole) {
  ledger_.states.resize(21);
  Run run(*this);
  run.stream->start();
  run.stream->finish();
  EXPECT_THAT(asked_, IsEmpty());
}

}  // namespace
}  // namespace hf2mlx
