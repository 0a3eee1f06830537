// Overrides: which counts, what they write, and when they are refused.
#include "plan/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/expect_error.h"

namespace hf2mlx {
namespace {

using testing::HasSubstr;

class QuantPolicyTest : public testing::Test {
 protected:
  QuantPolicy policy(std::vector<std::string> overrides, const Json& config = Json::object()) {
    options_.quantize = true;
    options_.overrides = std::move(overrides);
    return QuantPolicy(options_, description_, scope_, {"a", "b"}, 1, config);
  }

  static Module linear(const std::string& path, uint64_t cols = 128) { return {path, Role::kLinear, {{path + ".weight", {4, cols}}}}; }

  QuantOptions options_;
  const Description description_{};
  const Scope scope_;
};

TEST_F(QuantPolicyTest, TheLastOverrideThatMatchesCounts) {
  QuantPolicy p = policy({"*=8", "a=6:32", "b=keep"});
  EXPECT_EQ(p.decide(linear("a")).encoding, (Encoding{QuantMode::kAffine, 6, 32}));
  EXPECT_EQ(p.decide(linear("b")).encoding, std::nullopt);
  EXPECT_EQ(p.decide(linear("c")).encoding, (Encoding{QuantMode::kAffine, 8, 64}));
  EXPECT_EQ(policy({"a=6:32", "*=8"}).decide(linear("a")).encoding, (Encoding{QuantMode::kAffine, 8, 64}));
}

TEST_F(QuantPolicyTest, AnEntryStatesThreeThingsAndNoMore) {
  QuantPolicy p = policy({"a=8:32:mxfp8", "b=3"});
  EXPECT_EQ(p.decide(linear("a")).entry, Json({{"group_size", 32}, {"bits", 8}, {"mode", "mxfp8"}}));
  EXPECT_EQ(p.decide(linear("b")).entry, Json({{"group_size", 64}, {"bits", 3}, {"mode", "affine"}}));
  EXPECT_TRUE(p.decide(linear("c")).entry.is_null());
}

TEST_F(QuantPolicyTest, WithoutAMatchAnOverrideIsRefused) {
  QuantPolicy p = policy({"a=8", "lm_haed=8"});
  p.decide(linear("a"));
  EXPECT_THAT(error_of([&] { p.finish(); }), IsError(ErrorCode::kUsage, "--q-override 'lm_haed=8': no layer matches"));
}

TEST_F(QuantPolicyTest, LayersThatArePassedOverDoNotMatch) {
  QuantPolicy p = policy({"a=8"});
  p.pass_over("a");
  EXPECT_THAT(error_of([&] { p.finish(); }), IsError(ErrorCode::kUsage, HasSubstr("quantized in the source"), HasSubstr("--requantize")));
  QuantPolicy keeps = policy({"a=keep"});
  keeps.pass_over("a");
  EXPECT_THAT(keeps.finish(), testing::IsEmpty());
}

TEST_F(QuantPolicyTest, ByNameAloneOthersStayAsTheyAre) {
  QuantPolicy p = policy({"a=8"});
  EXPECT_EQ(p.decide_named(linear("a")).encoding, (Encoding{QuantMode::kAffine, 8, 64}));
  EXPECT_EQ(p.decide_named(linear("b")).encoding, std::nullopt);
  EXPECT_EQ(p.decide(linear("b")).encoding, (Encoding{QuantMode::kAffine, 4, 64}));
}

// Before a model is looked at, or downloaded.
TEST(CheckOptions, RefusesWhatNoModelCanBecome) {
  const auto refusal = [](const auto& change) {
    QuantOptions options;
    change(options);
    return error_of([&] { QuantPolicy::check_options(options); });
  };
  const auto usage = [](const char* text) { return IsError(ErrorCode::kUsage, HasSubstr(text)); };
  EXPECT_THAT(refusal([](QuantOptions& o) { o.quantize = o.dequantize = true; }), usage("--dequantize"));
  EXPECT_THAT(refusal([](QuantOptions& o) { o.quantize = true, o.bits = 7; }), usage("7"));
  EXPECT_THAT(refusal([](QuantOptions& o) { o.quantize = true, o.mode = "mxfp4", o.group_size = 64; }), usage("64"));
  EXPECT_THAT(refusal([](QuantOptions& o) { o.recipe = "mixed_4_6", o.mode = "mxfp4"; }), usage("recipes are affine"));
  EXPECT_THAT(refusal([](QuantOptions& o) { o.recipe = "mixed_5_6"; }), usage("'mixed_5_6' found"));
  EXPECT_THAT(refusal([](QuantOptions& o) { o.overrides = {"a=7"}; }), usage("a=7"));
  EXPECT_THAT(refusal([](QuantOptions& o) { o.budget.candidates = {"4:48"}; }), usage("--q-candidates"));
  QuantOptions idle;  // without quantize, bits mean nothing
  idle.bits = 7;
  EXPECT_NO_THROW(QuantPolicy::check_options(idle));
}

TEST_F(QuantPolicyTest, APredicateDecidesAndItsWordsAreTheEntry) {
  options_.predicate = [](const LayerInfo& layer) -> LayerChoice {
    if (layer.path == "keep") return {.kind = LayerChoice::Kind::kKeep};
    if (layer.path == "bits") return {.kind = LayerChoice::Kind::kStated, .bits = 8};
    if (layer.path == "mode") return {.kind = LayerChoice::Kind::kStated, .mode = "mxfp4"};
    return {};
  };
  QuantPolicy p = policy({"named=3"});
  std::map<std::string, Decision> decided;
  for (const char* path : {"keep", "bits", "mode", "other", "named"}) decided[path] = p.decide(linear(path));
  EXPECT_EQ(decided["keep"].encoding, std::nullopt);
  EXPECT_TRUE(decided["keep"].entry.is_null());
  EXPECT_EQ(decided["bits"].encoding, (Encoding{QuantMode::kAffine, 8, 64}));
  EXPECT_EQ(decided["bits"].entry, Json({{"bits", 8}}));
  EXPECT_EQ(decided["mode"].encoding, (Encoding{QuantMode::kMxfp4, 4, 32}));
  EXPECT_EQ(decided["mode"].entry, Json({{"mode", "mxfp4"}}));
  EXPECT_EQ(decided["other"].encoding, (Encoding{QuantMode::kAffine, 4, 64}));
  EXPECT_TRUE(decided["other"].entry.is_null());
  EXPECT_EQ(decided["named"].encoding, (Encoding{QuantMode::kAffine, 3, 64}));

  // The answers alone decide the same.
  options_.predicate = p.choices();
  QuantPolicy again = policy({"named=3"});
  for (const auto& [path, decision] : decided) {
    const Decision repeated = again.decide(linear(path));
    EXPECT_EQ(repeated.encoding, decision.encoding) << path;
    EXPECT_EQ(repeated.entry, decision.entry) << path;
  }
}

TEST_F(QuantPolicyTest, APredicateIsAskedOnlyWhereItsWordWouldCount) {
  std::vector<LayerInfo> asked;
  options_.predicate = [&](const LayerInfo& layer) {
    asked.push_back(layer);
    return LayerChoice{};
  };
  QuantPolicy p = policy({});
  p.decide(linear("too-narrow", 96));
  p.decide({"a.switch", Role::kSwitch, {{"a.switch.weight", {8, 4, 128}}, {"a.switch.bias", {8, 4}}}});
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].path, "a.switch");
  EXPECT_EQ(asked[0].role, "switch");
  EXPECT_THAT(asked[0].shape, testing::ElementsAre(8, 4, 128));
  EXPECT_TRUE(asked[0].has_bias);
}

TEST_F(QuantPolicyTest, WhatAPredicateCannotHaveIsRefused) {
  LayerChoice choice{.kind = LayerChoice::Kind::kStated};
  options_.predicate = [&](const LayerInfo&) { return choice; };
  QuantPolicy p = policy({});
  choice.bits = 7;
  EXPECT_THAT(error_of([&] { p.decide(linear("a")); }), IsError(ErrorCode::kUsage, HasSubstr("choice for a: affine: found bits 7")));
  choice = {.kind = LayerChoice::Kind::kStated, .mode = "int8"};
  EXPECT_THAT(error_of([&] { p.decide(linear("a")); }), IsError(ErrorCode::kUsage, HasSubstr("mode 'int8' found")));
  choice = {.kind = LayerChoice::Kind::kStated, .group_size = 128};
  EXPECT_THAT(error_of([&] { p.decide(linear("a", 192)); }), IsError(ErrorCode::kUsage, HasSubstr("rows of 192 values")));
  options_.recipe = "mixed_4_6";
  EXPECT_THAT(error_of([&] { QuantPolicy::check_options(options_); }), IsError(ErrorCode::kUsage, HasSubstr("a recipe and a predicate")));
}

TEST_F(QuantPolicyTest, RefusedForms) {
  for (const char* text : {"a", "=8", "a=", "a=x", "a=8:", "a=8:64:affine:1", "a=8:64:int8", "a=7", "a=4:48", "a=8:64:mxfp8"}) {
    EXPECT_THAT(error_of([&] { policy({text}); }), IsError(ErrorCode::kUsage, HasSubstr(text))) << text;
  }
  QuantPolicy p = policy({"a=8:128"});
  EXPECT_THAT(error_of([&] { p.decide(linear("a", 192)); }), IsError(ErrorCode::kUsage, HasSubstr("rows of 192 values")));
}

}  // namespace
}  // namespace hf2mlx
