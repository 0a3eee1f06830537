#include "hub/partial_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>

#include "base/expect_error.h"
#include "base/temp_folder.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr uint64_t kBlock = Arrivals::kBlockBytes;

std::string some_text(size_t size_bytes) {
  std::string text(size_bytes, '\0');
  uint32_t state = 1;
  for (char& c : text) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return text;
}

std::string sha256_of(const std::string& text) {
  Digest digest(Hash::kSha256);
  digest.update(std::as_bytes(std::span(text)));
  return digest.finish();
}

class PartialFiles : public testing::Test {
 protected:
  const std::string content_ = some_text(2 * kBlock + 100);
  const TreeEntry entry_{"f.safetensors", content_.size(), "", sha256_of(content_), ""};
  TempFolder folder_;
  const fs::path path_ = folder_ / "f.incomplete";
  std::optional<PartialFile> file_{std::in_place, path_, entry_};

  void reopen() {
    file_.reset();
    file_.emplace(path_, entry_);
  }
  // The next `count` bytes of a claim.
  void write(ByteRange& claim, uint64_t count) {
    file_->write(claim, std::as_bytes(std::span(content_)).subspan(claim.begin_bytes, count));
  }
  void write_all(ByteRange claim) { write(claim, claim.size_bytes()); }
};

TEST_F(PartialFiles, ArriveInAnyOrder) {
  const ByteRange first = file_->claim(1);
  const ByteRange second = file_->claim(1);
  const ByteRange third = file_->claim(1);
  write_all(third);
  write_all(first);
  EXPECT_FALSE(file_->is_whole());
  write_all(second);
  EXPECT_TRUE(file_->is_whole());
  EXPECT_TRUE(file_->is_right());
  file_->finish();
  EXPECT_EQ(folder_.text("f.incomplete"), content_);
}

TEST_F(PartialFiles, ArriveByManyThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (ByteRange claim = file_->claim(1); !claim.is_empty(); claim = file_->claim(1)) {
        constexpr uint64_t kPiece = 10007;
        while (!claim.is_empty()) write(claim, std::min(kPiece, claim.size_bytes()));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(file_->is_right());
}

TEST_F(PartialFiles, GoOnWhereTheyWereLeft) {
  ByteRange first = file_->claim(1);
  ByteRange second = file_->claim(1);
  write(first, 5);
  write(second, 7);
  EXPECT_EQ(arrived_bytes_of(path_, entry_), 12u);
  reopen();
  EXPECT_EQ(file_->arrived_bytes(), 12u);
  EXPECT_EQ(file_->claim(1), (ByteRange{5, kBlock}));
  EXPECT_EQ(file_->claim(1), (ByteRange{kBlock + 7, 2 * kBlock}));
  write_all(ByteRange{5, kBlock});
  write_all(ByteRange{kBlock + 7, 2 * kBlock});
  reopen();
  write_all(file_->claim(1));
  EXPECT_TRUE(file_->is_right());
}

TEST_F(PartialFiles, OneThatWasFinishedIsWhole) {
  write_all(file_->claim(content_.size()));
  file_->finish();
  EXPECT_EQ(arrived_bytes_of(path_, entry_), content_.size());
  reopen();
  EXPECT_TRUE(file_->is_whole());
  EXPECT_TRUE(file_->is_right());
  file_->finish();
  EXPECT_EQ(folder_.text("f.incomplete"), content_);
}

TEST_F(PartialFiles, OthersBeginAnew) {
  ByteRange claim = file_->claim(1);
  write(claim, 5);
  file_.reset();
  fs::resize_file(path_, fs::file_size(path_) - 1);
  EXPECT_EQ(arrived_bytes_of(path_, entry_), 0u);
  reopen();
  EXPECT_EQ(file_->arrived_bytes(), 0u);
  file_.reset();
  std::ofstream(path_) << content_.substr(0, 1000);  // as another program leaves it
  reopen();
  EXPECT_EQ(file_->arrived_bytes(), 0u);
  file_.reset();
  fs::remove(path_);
  folder_.put("elsewhere", "untouched");
  fs::create_symlink("elsewhere", path_);
  reopen();
  EXPECT_EQ(folder_.text("elsewhere"), "untouched");
  write_all(file_->claim(content_.size()));
  EXPECT_TRUE(file_->is_right());
}

TEST_F(PartialFiles, WrongContentGoesAside) {
  const std::string wrong(content_.size(), 'x');
  ByteRange claim = file_->claim(content_.size());
  file_->write(claim, std::as_bytes(std::span(wrong)));
  EXPECT_FALSE(file_->is_right());
  file_->set_aside(folder_ / "aside");
  EXPECT_EQ(folder_.text("aside"), wrong);
  EXPECT_EQ(file_->arrived_bytes(), 0u);
  write_all(file_->claim(content_.size()));
  EXPECT_TRUE(file_->is_right());
}

TEST_F(PartialFiles, RestartOnlyWhereNobodyElseIsAtIt) {
  ByteRange first = file_->claim(1);
  ByteRange second = file_->claim(1);
  write(second, 5);
  EXPECT_TRUE(file_->restart_for(first).is_empty());
  EXPECT_EQ(file_->arrived_bytes(), 5u);
  EXPECT_EQ(file_->claim(1), first);  // was given back
  file_->release(first);
  EXPECT_EQ(file_->restart_for(second), (ByteRange{0, content_.size()}));
  EXPECT_EQ(file_->arrived_bytes(), 0u);
  write_all({0, content_.size()});
  EXPECT_TRUE(file_->is_right());
}

TEST_F(PartialFiles, NothingIsWrittenBeyondAClaim) {
  ByteRange claim = file_->claim(1);
  EXPECT_THAT(error_of([&] { write(claim, kBlock + 1); }), IsError(ErrorCode::kCorrupt, HasSubstr("f.safetensors: more bytes arrive")));
  EXPECT_EQ(file_->arrived_bytes(), 0u);
}

}  // namespace
}  // namespace hf2mlx
