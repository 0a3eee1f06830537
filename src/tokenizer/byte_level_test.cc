#include "tokenizer/byte_level.h"

#include <gtest/gtest.h>

#include "tokenizer/utf8.h"

namespace hf2mlx {
namespace {

TEST(ByteLevel, PrintableBytesStandForThemselvesOthersFollowU0100) {
  EXPECT_EQ(byte_level_text("a!~"), "a!~");
  EXPECT_EQ(byte_level_text(std::string_view("\0 \n\x7F", 4)), "\u0100\u0120\u010A\u0121");
  EXPECT_EQ(byte_level_text("\xA0\xA1\xAD\xFF"), "\u0142\u00A1\u0143\u00FF");
}

TEST(Utf8, OverlongFormsSurrogatesAndPiecesAreNotValid) {
  for (const char* text : {"", "a", "\u00E9", "\u2581", "\U0001F600"}) EXPECT_TRUE(is_utf8(text)) << text;
  for (const char* text :
       {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE2\x96"}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

}  // namespace
}  // namespace hf2mlx
