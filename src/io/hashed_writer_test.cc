#include "io/hashed_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include "base/temp_folder.h"
#include "io/file_posix.h"

namespace hf2mlx {
namespace {

std::vector<std::byte> random_bytes(size_t size) {
  std::mt19937 random(1);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

std::string sha256(std::span<const std::byte> bytes) {
  Digest digest(Hash::kSha256);
  digest.update(bytes);
  return digest.finish();
}

class HashedWriterTest : public ::testing::Test {
 protected:
  HashedWriter make(const char* name = "file") { return HashedWriter(create_writer(folder_ / name), folder_ / name); }

  TempFolder folder_;
};

TEST_F(HashedWriterTest, Empty) { EXPECT_EQ(make().finish(), sha256({})); }

TEST_F(HashedWriterTest, AnyOrderGivesTheSame) {
  const std::vector<std::byte> bytes = random_bytes(6'000'001);
  constexpr size_t kPiece = 37'123;
  std::vector<size_t> offsets;
  for (size_t at = 0; at < bytes.size(); at += kPiece) offsets.push_back(at);
  std::mt19937 random(2);
  for (int order = 0; order < 4; ++order) {
    if (order == 1) std::reverse(offsets.begin(), offsets.end());
    if (order > 1) std::shuffle(offsets.begin(), offsets.end(), random);
    const std::string name = std::to_string(order);
    HashedWriter writer = make(name.c_str());
    for (const size_t at : offsets) writer.write_at(at, std::span(bytes).subspan(at, std::min(kPiece, bytes.size() - at)));
    EXPECT_EQ(writer.finish(), sha256(bytes)) << order;
    EXPECT_EQ(folder_.text(name).size(), bytes.size());
  }
}

TEST_F(HashedWriterTest, ManyThreads) {
  const std::vector<std::byte> bytes = random_bytes(20'000'000);
  constexpr size_t kPiece = 100'000;
  constexpr size_t kThreads = 4;
  HashedWriter writer = make();
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (size_t at = t * kPiece; at < bytes.size(); at += kThreads * kPiece) writer.write_at(at, std::span(bytes).subspan(at, kPiece));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(writer.finish(), sha256(bytes));
}

}  // namespace
}  // namespace hf2mlx
