#include "hub/tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_error.h"
#include "base/temp_folder.h"
#include "source/test_model.h"

namespace hf2mlx {
namespace {

using testing::HasSubstr;

const std::string kSha1 = kCommitA;
const std::string kSha256(64, 'c');

std::string page_of(const std::string& path, const std::string& oid = kSha1) {
  return R"([{"type":"directory","path":"d","oid":")" + kSha1 + R"(","size":0},{"type":"file","path":")" + path + R"(","oid":")" + oid +
         R"(","size":3}])";
}

TEST(Tree, FilesOfAPage) {
  const Tree tree = parse_tree_page(R"([{"type":"file","path":"a","oid":")" + kSha1 + R"(","size":7,"lfs":{"oid":")" + kSha256 +
                                        R"(","size":7,"pointerSize":130},"xetHash":"x1"}])",
                                    "page");
  ASSERT_EQ(tree.size(), 1u);
  EXPECT_EQ(tree[0].size_bytes, 7u);
  EXPECT_EQ(tree[0].etag(), kSha256);
  EXPECT_EQ(tree[0].blob_id, kSha1);
  EXPECT_EQ(tree[0].xet_hash, "x1");
  EXPECT_EQ(parse_tree_page(page_of("d/x.json"), "page")[0].etag(), kSha1);
}

TEST(Tree, NamesThatLeadElsewhereAreRefused) {
  for (const char* path : {"", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", "./a", "a\\\\b"}) {
    EXPECT_THAT(error_of([&] { parse_tree_page(page_of(path), "page"); }), IsError(ErrorCode::kCorrupt, HasSubstr("page: "))) << path;
  }
  EXPECT_NO_THROW(parse_tree_page(page_of("a/..b/c..d"), "page"));
}

TEST(Tree, HashesAreHashes) {
  for (const char* oid : {"", "../../x", "ABCD567890123456789012345678901234567890", "123"}) {
    EXPECT_THAT(error_of([&] { parse_tree_page(page_of("a", oid), "page"); }), IsError(ErrorCode::kCorrupt, HasSubstr("hash"))) << oid;
  }
}

TEST(Tree, OtherAnswersAreErrors) {
  for (const char* text : {"{\"error\":1}", "[{}]", "[1]", "<html>", "\"x\""}) {
    EXPECT_THAT(error_of([&] { parse_tree_page(text, "page"); }), IsError(ErrorCode::kCorrupt, HasSubstr("page"))) << text;
  }
}

TEST(Tree, FileIsThatOfHuggingfaceHub) {
  const TempFolder folder;
  const Tree tree = {{"a/caf\xc3\xa9.json", 3, kSha1, "", ""}, {"b", 7, kSha1, kSha256, "x1"}};
  write_tree(folder.path(), kCommitB, tree);
  const std::string name = std::string("trees/") + kCommitB + ".json";
  EXPECT_EQ(folder.text(name),
            "{\n \"format_version\": 1,\n \"files\": {\n  \"a/caf\\u00e9.json\": {\n   \"size\": 3,\n   \"blob_id\": \"" + kSha1 +
                "\"\n  },\n  \"b\": {\n   \"size\": 7,\n   \"blob_id\": \"" + kSha1 + "\",\n   \"lfs_sha256\": \"" + kSha256 +
                "\",\n   \"lfs_size\": 7,\n   \"xet_hash\": \"x1\"\n  }\n }\n}");
  const std::optional<Tree> read = read_tree(folder.path(), kCommitB);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].path, tree[0].path);
  EXPECT_EQ((*read)[1].etag(), kSha256);
  EXPECT_EQ((*read)[1].xet_hash, "x1");
  EXPECT_EQ(folder.names("trees").size(), 1u);
}

TEST(Tree, WhatCannotBeReadIsNotThere) {
  const TempFolder folder;
  EXPECT_FALSE(read_tree(folder.path(), kCommitA));
  for (const char* text :
       {"", "{", "{}", R"({"format_version":2,"files":{}})", R"({"format_version":1,"files":{"../x":{"size":1,"blob_id":"1"}}})"}) {
    folder.put(std::string("trees/") + kCommitA + ".json", text);
    EXPECT_FALSE(read_tree(folder.path(), kCommitA)) << text;
  }
}

}  // namespace
}  // namespace hf2mlx
