#include "io/sha256_chain.h"

#include <gtest/gtest.h>

#include <vector>

#include "io/digest.h"

namespace hf2mlx {
namespace {

std::vector<std::byte> numbers(size_t count) {
  std::vector<std::byte> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 31 + (i >> 8));
  return bytes;
}

std::string plain(std::span<const std::byte> data) {
  Digest digest(Hash::kSha256);
  digest.update(data);
  return digest.finish();
}

TEST(Sha256ChainTest, KnowsTheStandardsExample) {
  Sha256Chain chain;
  const char text[] = "abc";
  chain.update(std::as_bytes(std::span(text, 3)));
  EXPECT_EQ(chain.finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256ChainTest, GoesOnFromAState) {
  const auto data = numbers(100'003);
  for (const size_t cut : {size_t{0}, size_t{64}, size_t{64 * 1000}}) {
    Sha256Chain first;
    first.update(std::span(data).first(cut));
    Sha256Chain second(first.state(), cut);
    EXPECT_EQ(second.hashed_bytes(), cut);
    second.update(std::span(data).subspan(cut));
    EXPECT_EQ(second.finish(), plain(data));
  }
}

TEST(Sha256ChainTest, CountsBeyondFourGigabytes) {
  const Sha256Chain chain(Sha256State{}, uint64_t{5} << 32);
  EXPECT_EQ(chain.hashed_bytes(), uint64_t{5} << 32);
  EXPECT_NE(chain.finish(), Sha256Chain(Sha256State{}, uint64_t{1} << 32).finish());
}

}  // namespace
}  // namespace hf2mlx
