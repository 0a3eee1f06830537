// How a description's config section reads config.json.
#include "arch/model.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/expect_error.h"

namespace hf2mlx {
namespace {

constexpr const char* kNested = R"(config
  text_config
  from text_config
  hidden_size
  vocab_size = 7
)";

TEST(BindConfig, FromReadsTheNestedObject) {
  Json config = Json::parse(R"({"hidden_size": 1, "vocab_size": 2, "text_config": {"hidden_size": 64}})");
  const Scope scope = bind_config(parse_description("x", kNested), config);
  EXPECT_EQ(*scope.find("hidden_size"), 64);
  EXPECT_EQ(*scope.find("vocab_size"), 7);
}

TEST(BindConfig, FromWantsAnObject) {
  Json config = Json::parse(R"({"text_config": 3})");
  EXPECT_THAT(error_of([&] { bind_config(parse_description("x", kNested), config); }),
              IsError(ErrorCode::kCorrupt, testing::HasSubstr("nested object")));
}

TEST(BindConfig, SetWantsAnObjectAboveAName) {
  const Description d = parse_description("x", "config\n  n = 3\n  set text_config.n = n\n");
  Json config = Json::object();
  bind_config(d, config);
  EXPECT_EQ(config, Json({{"text_config", {{"n", 3}}}}));
  config = {{"text_config", 3}};
  EXPECT_THAT(error_of([&] { bind_config(d, config); }), IsError(ErrorCode::kCorrupt, testing::HasSubstr("above text_config.n, found 3")));
}

// mlx_lm looks for other keys and takes the sizes of Phi-2.
TEST(BindConfig, PhixtralReadsTheKeysThatArePublished) {
  Json config = Json::parse(R"({"model_type": "phi-msft", "n_embd": 64, "n_layer": 2, "vocab_size": 100})");
  const Scope scope = bind_config(Registry().family("phixtral"), config);
  EXPECT_EQ(*scope.find("model_dim"), 64);
  EXPECT_EQ(*scope.find("num_layers"), 2);
  EXPECT_EQ(*scope.find("num_vocab"), 100);
}

Json bound(const std::string& config_section, const char* config_text) {
  Json config = Json::parse(config_text);
  bind_config(parse_description("x", config_section), config);
  return config;
}

TEST(Config, UnfoldAddsWhatModulesRequire) {
  const std::string section = "config\n  unfold t.rope_parameters -> rope_theta rope_scaling part\n";
  EXPECT_EQ(bound(section, R"({"t": {"rope_parameters": {"rope_theta": 5, "rope_type": "default", "part": 0.5}}})")["t"],
            Json::parse(R"({"rope_parameters": {"rope_theta": 5, "rope_type": "default", "part": 0.5},
                            "rope_theta": 5, "rope_scaling": null, "part": 0.5})"));
  EXPECT_EQ(bound(section, R"({"t": {"rope_parameters": {"rope_theta": 5, "type": "yarn"}, "part": 1}})")["t"],
            Json::parse(R"({"rope_parameters": {"rope_theta": 5, "type": "yarn"},
                            "rope_theta": 5, "rope_scaling": {"rope_theta": 5, "type": "yarn"}, "part": 1})"));
}

TEST(Config, UnfoldLeavesOlderConfigsAlone) {
  const std::string section = "config\n  unfold t.rope_parameters -> rope_theta rope_scaling\n";
  for (const char* text : {R"({"t": {"rope_theta": 1}})", R"({"t": {"rope_theta": null, "rope_parameters": {"rope_theta": 5}}})",
                           R"({"t": {}})", R"({})", R"({"t": 3})", R"({"t": {"rope_parameters": {"full": {"rope_theta": 5}}}})"}) {
    EXPECT_EQ(bound(section, text), Json::parse(text)) << text;
  }
}

TEST(Config, AMissingTieIsAddedWhereTheModuleRequiresIt) {
  const std::string section =
      "config\n  set tie_word_embeddings = config.tie_word_embeddings if \"tie_word_embeddings\" in config else false\n";
  const Registry registry;
  for (const char* name : {"helium", "glm4_moe", "solar_open"}) {
    const auto& statements = registry.family(name).config;
    EXPECT_TRUE(std::any_of(statements.begin(), statements.end(), [](const ConfigStatement& s) {
      return s.kind == ConfigStatement::Kind::kSet && s.name == "tie_word_embeddings";
    })) << name;
  }
  EXPECT_EQ(bound(section, "{}"), Json::parse(R"({"tie_word_embeddings": false})"));
  EXPECT_EQ(bound(section, R"({"tie_word_embeddings": null})"), Json::parse(R"({"tie_word_embeddings": null})"));
}

TEST(Config, WhatModulesNeedIsNamedWhenMissing) {
  const std::string section = "config\n  unfold rope_parameters -> rope_theta\n  needs rms_norm_eps rope_theta\n";
  EXPECT_NO_THROW(bound(section, R"({"rms_norm_eps": null, "rope_parameters": {"rope_theta": 5}})"));
  EXPECT_THAT(error_of([&] { bound(section, R"({"rope_theta": 1})"); }),
              IsError(ErrorCode::kCorrupt, testing::HasSubstr("'rms_norm_eps' is missing")));
  EXPECT_THAT(error_of([&] { bound("config\n  needs\n", "{}"); }), IsError(ErrorCode::kInternal, testing::HasSubstr("needs KEY")));
}

TEST(Config, FamiliesUnfoldRopeParameters) {
  const Registry registry;
  for (const char* name : {"qwen3_moe", "glm4_moe", "solar_open", "bailing_hybrid", "stablelm"}) {
    const auto& statements = registry.family(name).config;
    EXPECT_TRUE(std::any_of(statements.begin(), statements.end(), [](const ConfigStatement& s) {
      return s.kind == ConfigStatement::Kind::kUnfold && s.keys[0] == "rope_theta";
    })) << name;
  }
}

}  // namespace
}  // namespace hf2mlx
