#include "writer/front_matter.h"

#include <gtest/gtest.h>

#include <string>

#include "base/json.h"
#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

TEST(FindFrontMatter, AsTheHubDelimitsIt) {
  EXPECT_EQ(find_front_matter("---\na: 1\n---\n# x"), "a: 1");
  EXPECT_EQ(find_front_matter("\xEF\xBB\xBF---\r\na: 1\r\nb: 2\r\n---  \r\n# x"), "a: 1\r\nb: 2");
  EXPECT_EQ(find_front_matter("\n  ---\na: 1\n---"), "a: 1");
  EXPECT_EQ(find_front_matter("---\na: |\n  ---\n  b\n---\n"), "a: |\n  ---\n  b");
  EXPECT_EQ(find_front_matter("---\n--- a\n---\n"), "--- a");
  EXPECT_EQ(find_front_matter(""), std::nullopt);
  EXPECT_EQ(find_front_matter("# title\n---\na: 1\n---\n"), std::nullopt);
  EXPECT_EQ(find_front_matter("---\na: 1\n"), std::nullopt);
  EXPECT_EQ(find_front_matter("--- \na: 1\n---\n"), std::nullopt);
}

TEST(FrontMatter, UnchangedTextStays) {
  const std::string text = R"(# a comment

license: apache-2.0   # another
language:
- en
- no
thing: {b: 1, a: [x, "y"]}
'quoted key': 2024-01-01
widget:
  - text: >-
      folded


      text
    other: |+
      tags: not a key

merged:
  <<: &base {x: 1}
alias: *base
multi: first
  second
none:
"no": 1.10
last: !custom x
)";
  EXPECT_EQ(FrontMatter(text).dump(), text);
  EXPECT_EQ(FrontMatter("# only a comment").dump(), "# only a comment\n");
  EXPECT_EQ(FrontMatter().dump(), "");
  EXPECT_EQ(FrontMatter("").dump(), "");
}

TEST(FrontMatter, LineBreaksBecomeOneKind) { EXPECT_EQ(FrontMatter("a: |\r\n  x\r\n\r\nb: 1\rc: 2").dump(), "a: |\n  x\n\nb: 1\nc: 2\n"); }

TEST(FrontMatter, SetsInPlaceOrAtTheEnd) {
  FrontMatter matter("a: 1\nbase_model:\n- x\n- y\nb: 2\n");
  matter.set("base_model", "org/name");
  matter.set("library_name", "mlx");
  EXPECT_EQ(matter.dump(), "a: 1\nbase_model: org/name\nb: 2\nlibrary_name: mlx\n");
  matter.remove("base_model");
  matter.remove("never there");
  EXPECT_EQ(matter.dump(), "a: 1\nb: 2\nlibrary_name: mlx\n");
}

TEST(FrontMatter, StringsAreQuotedWhereAReaderCouldMistakeThem) {
  FrontMatter matter;
  for (const char* value : {"no", "Y", "1.0", "2024-01-01", "", "a: b", "x #y", "-", "tab\t\"q\"\n", "\xC3\xA9", "Null"}) {
    matter.set("k", value);
    EXPECT_EQ(matter.dump(), "k: " + Json(value).dump() + "\n");
    EXPECT_EQ(YAML::Load(matter.dump())["k"].Scalar(), value);
  }
  for (const char* value : {"mlx", "Qwen/Qwen3-8B", "LICENSE.txt", "note", "apache-2.0"}) {
    matter.set("k", value);
    EXPECT_EQ(matter.dump(), "k: " + std::string(value) + "\n");
  }
}

TEST(FrontMatter, ListsKeepTheirWords) {
  const auto with_mlx = [](std::string_view text) {
    FrontMatter matter(text);
    matter.add_to_list("tags", "mlx");
    return matter.dump();
  };
  EXPECT_EQ(with_mlx("tags: [a, \"no\", no, '1.0', 1.0, mlx]"), "tags:\n- a\n- \"no\"\n- no\n- \"1.0\"\n- 1.0\n- mlx\n");
  EXPECT_EQ(with_mlx("tags:\n  - a\n  - ~\n  - {b: c}\nz: 1"), "tags:\n- a\n- mlx\nz: 1\n");
  EXPECT_EQ(with_mlx("tags: solo"), "tags:\n- solo\n- mlx\n");
  EXPECT_EQ(with_mlx("tags:"), "tags:\n- mlx\n");
  EXPECT_EQ(with_mlx(""), "tags:\n- mlx\n");
}

TEST(FrontMatter, IndentedMapping) {
  FrontMatter matter("  a: 1\n  tags:\n    - x\n");
  matter.add_to_list("tags", "mlx");
  matter.set("b", "c");
  EXPECT_EQ(matter.dump(), "  a: 1\n  tags:\n  - x\n  - mlx\n  b: c\n");
}

TEST(FrontMatter, LaterDuplicateCounts) {
  FrontMatter matter("tags: a\nb: 2\ntags: c\n");
  EXPECT_FALSE(FrontMatter("a: 1\na:\n").has("a"));
  matter.add_to_list("tags", "mlx");
  EXPECT_EQ(matter.dump(), "tags:\n- c\n- mlx\nb: 2\n");
}

TEST(FrontMatter, Has) {
  const FrontMatter matter("a: 1\nb:\nc: ''\nd: null\n");
  EXPECT_TRUE(matter.has("a"));
  EXPECT_FALSE(matter.has("b"));
  EXPECT_TRUE(matter.has("c"));
  EXPECT_FALSE(matter.has("d"));
  EXPECT_FALSE(matter.has("e"));
}

TEST(FrontMatter, RefusesWhatItCannotKeep) {
  for (const char* text : {"[a, b]", "just text", "a: [", "a: b: c", "a: *missing", "{a: 1}", "? a\n: {\n"}) {
    EXPECT_THROW(FrontMatter{text}, Error) << text;
  }
  FrontMatter aliased("tags: &t [a]\nmore: *t\n");
  aliased.add_to_list("tags", "mlx");
  EXPECT_THROW(aliased.dump(), Error);
  FrontMatter ended("a: 1\n...\n");
  ended.set("b", "c");
  EXPECT_THROW(ended.dump(), Error);
  EXPECT_THROW(FrontMatter("a: " + std::string(2000, '[') + std::string(2000, ']')), Error);
}

}  // namespace
}  // namespace hf2mlx
