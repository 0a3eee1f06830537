#include "arch/expr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arch/pattern.h"
#include "base/expect_error.h"

namespace hf2mlx {
namespace {

using testing::HasSubstr;

Json eval(const std::string& text) {
  Scope scope;
  scope.set("n", 7);
  scope.set("none", nullptr);
  scope.set("list", Json::array({1, 2, 3}));
  scope.set("config", {{"a", {{"b", 5}}}, {"s", "abc"}});
  return parse_expr(text)->eval(scope);
}

TEST(Expr, ArithmeticIsPythons) {
  EXPECT_EQ(eval("1 + 2 * 3"), 7);
  EXPECT_EQ(eval("(1 + 2) * 3"), 9);
  EXPECT_EQ(eval("-7 // 2"), -4);
  EXPECT_EQ(eval("-7 % 3"), 2);
  EXPECT_EQ(eval("7 / 2"), 3.5);
  EXPECT_EQ(eval("2 ** 10"), 1024);
  EXPECT_EQ(eval("10 - 3 - 2"), 5);
  EXPECT_EQ(eval("n * 0.5"), 3.5);
}

TEST(Expr, LogicGivesAnOperand) {
  EXPECT_EQ(eval("none or n"), 7);
  EXPECT_EQ(eval("0 or none ?? 3"), 3);
  EXPECT_EQ(eval("none ?? 0 or 4"), 4);
  EXPECT_EQ(eval("n and 2"), 2);
  EXPECT_EQ(eval("not n == 7"), false);
  EXPECT_EQ(eval("2 if n > 7 else 3 if n > 6 else 4"), 3);
}

TEST(Expr, ListsAndMembers) {
  EXPECT_EQ(eval("list[-1]"), 3);
  EXPECT_EQ(eval("2 in list and 9 not in list"), true);
  EXPECT_EQ(eval("config.a.b"), 5);
  EXPECT_EQ(eval("config.x.y"), nullptr);
  EXPECT_EQ(eval("config['s']"), "abc");
  EXPECT_EQ(eval("len(list) + sum([1, 2])"), 6);
  EXPECT_EQ(eval("ints(split('3,4', ','))"), Json::array({3, 4}));
}

TEST(Expr, MistakesAreNamed) {
  EXPECT_THROW(eval("unknown"), Error);
  EXPECT_THROW(eval("1 +"), Error);
  EXPECT_THROW(eval("none + 1"), Error);
  EXPECT_THROW(eval("list[3]"), Error);
  EXPECT_THROW(eval("nofunction(1)"), Error);
}

TEST(Expr, ListsHaveAnEnd) {
  EXPECT_EQ(eval("len(range(65536))"), 65536);
  for (const char* text : {"range(65537)", "range(1000000000000)"}) {
    EXPECT_THAT(error_of([&] { eval(text); }), IsError(ErrorCode::kCorrupt, HasSubstr("more than 65536 items"))) << text;
  }
  EXPECT_EQ(eval("len([1, 2] * 524288)"), 1 << 20);
  EXPECT_EQ(eval("len([1, 2] * -1)"), 0);
  for (const char* text : {"[1, 2] * 524289", "[1] * 9223372036854775807"}) {
    EXPECT_THAT(error_of([&] { eval(text); }), IsError(ErrorCode::kCorrupt, HasSubstr("more than any model has"))) << text;
  }
  EXPECT_THAT(error_of([] { eval("max([])"); }), IsError(ErrorCode::kCorrupt, HasSubstr("an empty list")));
}

TEST(Expr, WholeNumbersHaveAnEnd) {
  EXPECT_EQ(eval("9223372036854775806 + 1"), INT64_MAX);
  EXPECT_EQ(eval("(-9223372036854775807 - 1) % -1"), 0);
  for (const char* text :
       {"9223372036854775807 + 1", "-9223372036854775807 - 2", "4294967296 * 4294967296", "(-9223372036854775807 - 1) // -1"}) {
    EXPECT_THAT(error_of([&] { eval(text); }), IsError(ErrorCode::kCorrupt, HasSubstr("more than any model has"))) << text;
  }
}

TEST(Expr, APrefixEndsAtAnArrow) {
  std::string_view text = "n - 1 -> name";
  Scope scope;
  scope.set("n", 7);
  EXPECT_EQ(parse_expr_prefix(text)->eval(scope), 6);
  EXPECT_EQ(text, "-> name");
}

TEST(Template, ExpandsExpressions) {
  Scope scope;
  scope.set("L", 4);
  EXPECT_EQ(Template("model.layers.{L}.x{L + 1}").expand(scope), "model.layers.4.x5");
}

TEST(Pattern, CapturesNumbersWhole) {
  Pattern p("model.layers.{L}.mlp.experts.{E}.{proj}.weight");
  Scope scope;
  ASSERT_TRUE(p.match("model.layers.12.mlp.experts.3.up_proj.weight", scope));
  EXPECT_EQ(*scope.find("L"), 12);
  EXPECT_EQ(*scope.find("E"), 3);
  EXPECT_EQ(*scope.find("proj"), "up_proj");
  EXPECT_FALSE(p.matches("model.layers.x.mlp.experts.3.up_proj.weight"));
  EXPECT_FALSE(p.matches("model.layers.1.mlp.experts.3.a.b.weight"));
  EXPECT_FALSE(Pattern("model.layers.{L}1.x").matches("model.layers.11.x"));
}

TEST(Pattern, StarsAndChoices) {
  EXPECT_TRUE(Pattern("*rotary_emb.inv_freq*").matches("a.rotary_emb.inv_freq"));
  EXPECT_TRUE(Pattern("{p*}.{x=weight|bias}").matches("a.b.bias"));
  EXPECT_FALSE(Pattern("{p*}.{x=weight|bias}").matches("a.b.scales"));
  Scope scope;
  ASSERT_TRUE(Pattern("{p*}.w{n=1|2}").match("a.b.w2", scope));
  EXPECT_EQ(*scope.find("p"), "a.b");
  EXPECT_EQ(*scope.find("n"), "2");
}

}  // namespace
}  // namespace hf2mlx
