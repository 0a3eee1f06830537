#include "io/digest.h"

#include <gtest/gtest.h>

namespace hf2mlx {
namespace {

std::string digest_by_letters(Hash hash, const std::string& text) {
  Digest digest(hash);
  for (const char& c : text) digest.update(std::as_bytes(std::span(&c, 1)));
  return digest.finish();
}

TEST(Digest, Sha256) {
  EXPECT_EQ(Digest(Hash::kSha256).finish(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest_by_letters(Hash::kSha256, "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, Sha1) {
  EXPECT_EQ(Digest(Hash::kSha1).finish(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(digest_by_letters(Hash::kSha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

}  // namespace
}  // namespace hf2mlx
