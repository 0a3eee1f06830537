// How a description's config section reads config.json.
#include "arch/model.h"

#include <gtest/gtest.h>

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

// mlx_lm looks for other keys and takes the sizes of Phi-2.
TEST(BindConfig, PhixtralReadsTheKeysThatArePublished) {
  Json config = Json::parse(R"({"model_type": "phi-msft", "n_embd": 64, "n_layer": 2, "vocab_size": 100})");
  const Scope scope = bind_config(Registry().family("phixtral"), config);
  EXPECT_EQ(*scope.find("model_dim"), 64);
  EXPECT_EQ(*scope.find("num_layers"), 2);
  EXPECT_EQ(*scope.find("num_vocab"), 100);
}

}  // namespace
}  // namespace hf2mlx
