#include "writer/config_json.h"

#include <gtest/gtest.h>

#include <limits>

namespace hf2mlx {
namespace {

TEST(MergeGenerationConfig, TakesTruthyEosOnly) {
  const Json config = {{"eos_token_id", 7}};
  EXPECT_EQ(merge_generation_config(config, {{"eos_token_id", 9}})["eos_token_id"], 9);
  EXPECT_EQ(merge_generation_config(config, {{"eos_token_id", {0, 2}}})["eos_token_id"], Json({0, 2}));
  for (const char* falsy : {"null", "0", "0.0", "-0.0", "false", "\"\"", "[]", "{}"}) {
    EXPECT_EQ(merge_generation_config(config, {{"eos_token_id", Json::parse(falsy)}}), config) << falsy;
  }
}

TEST(MergeGenerationConfig, IgnoresWhatIsNotAnObject) {
  const Json config = {{"eos_token_id", 7}};
  EXPECT_EQ(merge_generation_config(config, Json()), config);
  EXPECT_EQ(merge_generation_config(config, Json::array({1})), config);
  EXPECT_EQ(merge_generation_config(Json::object(), {{"temperature", 1}}), Json::object());
}

TEST(FinishConfig, DropsWhatReadersDoNotWant) {
  const Json config = {{"_name_or_path", "x"}, {"vision_config", {{"a", 1}}}, {"text_config", {{"_name_or_path", "y"}}}};
  EXPECT_EQ(finish_config(config, Keep::kNo), Json::parse(R"({"text_config": {"_name_or_path": "y"}})"));
  EXPECT_EQ(finish_config(config, Keep::kYes), Json::parse(R"({"text_config": {"_name_or_path": "y"}, "vision_config": {"a": 1}})"));
}

TEST(FinishConfig, QuantizationReplacesThatOfTheSource) {
  const Json quantization = {{"bits", 4}, {"group_size", 64}, {"mode", "affine"}};
  const Json out = finish_config({{"quantization", quantization}, {"quantization_config", {{"quant_method", "fp8"}}}}, Keep::kNo);
  EXPECT_EQ(out["quantization"], quantization);
  EXPECT_EQ(out["quantization_config"], quantization);
  EXPECT_EQ(finish_config({{"quantization_config", {{"quant_method", "fp8"}}}}, Keep::kNo)["quantization_config"]["quant_method"], "fp8");
}

TEST(FinishConfig, WrittenSortedAndTagged) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::string text = dump_json(finish_config({{"z", 1}, {"a", Json::array({infinity, -infinity})}}, Keep::kNo));
  EXPECT_EQ(text, R"({
    "a": [
        {
            "__float__": "Infinity"
        },
        {
            "__float__": "-Infinity"
        }
    ],
    "z": 1
}
)");
}

TEST(FinishConfig, EntriesOfLayersHaveNoWordsOfOthers) {
  const Json config = {{"quantization",
                        {{"group_size", 64},
                         {"bits", 4},
                         {"group_0", {{"weights", 1}}},
                         {"lm_head", false},
                         {"a", {{"group_size", 32}, {"bits", 8}, {"mode", "affine"}, {"kl", 0.5}, {"note", "x"}}}}}};
  const Json out = finish_config(config, Keep::kNo);
  EXPECT_EQ(out["quantization"]["a"], Json::parse(R"({"group_size": 32, "bits": 8, "mode": "affine"})"));
  EXPECT_EQ(out["quantization"]["group_0"], Json::parse(R"({"weights": 1})"));
  EXPECT_EQ(out["quantization_config"], out["quantization"]);
}

}  // namespace
}  // namespace hf2mlx
