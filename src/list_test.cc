#include "hf2mlx/list.h"

#include <gtest/gtest.h>

#include "source/test_model.h"

namespace hf2mlx {
namespace {

constexpr const char* kConfig = R"({"model_type": "nothing-we-know"})";

TEST(ListModels, BothPlaces) {
  const TempFolder folder;
  folder.put("cache/models--me--broken/refs/main", kCommitA);
  folder.put(std::string("cache/models--me--broken/snapshots/") + kCommitA + "/config.json", "{");
  folder.put("studio/ann/small/config.json", kConfig);
  folder.put("studio/ann/small/model.safetensors", weights_of({"a", "b"}));
  folder.put("studio/ann/a-gguf/model.gguf", "");
  const ModelLists lists = list_models({.cache_dir = folder / "cache", .lm_studio_dir = folder / "studio"});

  EXPECT_EQ(lists.cache.folder, folder / "cache");
  ASSERT_EQ(lists.cache.models.size(), 1u);
  EXPECT_EQ(lists.cache.models[0].name, "me/broken");
  EXPECT_EQ(lists.cache.models[0].revision, "main");
  EXPECT_NE(lists.cache.models[0].inspection.why_not, "");

  ASSERT_EQ(lists.lm_studio.models.size(), 1u);
  EXPECT_EQ(lists.lm_studio.models[0].name, "ann/small");
  EXPECT_EQ(lists.lm_studio.models[0].inspection.model_type, "nothing-we-know");
  EXPECT_EQ(lists.lm_studio.models[0].inspection.source_bytes, 4u);
}

TEST(ListModels, NowhereAndNothing) {
  EXPECT_TRUE(list_models({}).cache.models.empty());
  const TempFolder folder;
  const ModelLists lists = list_models({.cache_dir = folder / "none", .lm_studio_dir = folder / "none"});
  EXPECT_TRUE(lists.cache.models.empty());
  EXPECT_TRUE(lists.lm_studio.models.empty());
}

}  // namespace
}  // namespace hf2mlx
