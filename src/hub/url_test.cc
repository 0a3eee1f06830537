#include "hub/url.h"

#include <gtest/gtest.h>

namespace hf2mlx {
namespace {

TEST(Url, Origin) {
  EXPECT_EQ(origin_of("https://HuggingFace.co/a/b"), "https://huggingface.co:443");
  EXPECT_EQ(origin_of("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
  EXPECT_EQ(origin_of("http://h?q=a@b"), "http://h:80");
  EXPECT_EQ(origin_of("https://huggingface.co@evil.example/"), "https://evil.example:443");
  EXPECT_EQ(origin_of("https://[::1]/x"), "https://[::1]:443");
  EXPECT_EQ(origin_of("ftp://h/x"), "");
}

TEST(Url, Redirects) {
  EXPECT_EQ(resolve_url("https://h/a/b?c", "https://other/x"), "https://other/x");
  EXPECT_EQ(resolve_url("https://h/a/b?c", "//other/x"), "https://other/x");
  EXPECT_EQ(resolve_url("https://h/a/b?c", "/x?y"), "https://h/x?y");
  EXPECT_EQ(resolve_url("https://h/a/b?c/d", "x"), "https://h/a/x");
  EXPECT_EQ(resolve_url("https://h/a/b?c", "?x"), "https://h/a/b?x");
  EXPECT_EQ(resolve_url("https://h", "x"), "https://h/x");
}

TEST(Url, Encoding) {
  EXPECT_EQ(percent_encode("refs/pr/1"), "refs%2Fpr%2F1");
  EXPECT_EQ(percent_encode("a b/\xc3\xa9#.json", "/"), "a%20b/%C3%A9%23.json");
}

TEST(Url, NextPage) {
  EXPECT_EQ(next_page("<https://h/x?cursor=1>; rel=\"next\""), "https://h/x?cursor=1");
  EXPECT_EQ(next_page("<https://h/1>; rel=\"prev\", <https://h/3>; rel=\"next\""), "https://h/3");
  EXPECT_EQ(next_page("<https://h/1>; rel=\"prev\""), "");
  EXPECT_EQ(next_page(""), "");
}

}  // namespace
}  // namespace hf2mlx
