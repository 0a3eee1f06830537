#include "base/base64.h"

#include <gtest/gtest.h>

namespace hf2mlx {
namespace {

TEST(Base64, IsUndoneByDecoding) {
  for (const std::string bytes : {"", "f", "fo", "foo", "foob", "\xFF\xFE\xFD"}) EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
  EXPECT_EQ(encode_base64("foob"), "Zm9vYg==");
  for (const char* text : {"Zg", "Zg=", "Z===", "====", "Zm9v\n", "Zm-v", "Z=9v"}) EXPECT_EQ(decode_base64(text), std::nullopt) << text;
}

}  // namespace
}  // namespace hf2mlx
