#include "hub/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_error.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Tree tree_of(const std::vector<std::string>& paths) {
  Tree tree;
  for (const std::string& path : paths) tree.push_back({path, 1, "", "", ""});
  sort_tree(tree);
  return tree;
}

std::vector<std::string> selected(const std::vector<std::string>& paths, const Patterns& patterns = {},
                                  const std::vector<std::string>& index_files = {}) {
  std::vector<std::string> out;
  for (const TreeEntry& entry : select_files(tree_of(paths), patterns, index_files)) out.push_back(entry.path);
  return out;
}

TEST(Selection, WhatAConversionNeeds) {
  EXPECT_THAT(selected({".gitattributes", "README.md", "config.json", "hf_quant_config.json", "model-00001-of-00002.safetensors",
                        "quant_config.json", "model.safetensors.index.json", "tokenizer.json", "1_Pooling/config.json",
                        "original/params.json", "consolidated.safetensors", "pytorch_model.bin", "m.gguf", "onnx/model.onnx", "tf_model.h5",
                        "flax_model.msgpack", "sub/model.safetensors", "adapter.safetensors"}),
              ElementsAre("1_Pooling/config.json", "README.md", "config.json", "hf_quant_config.json", "model-00001-of-00002.safetensors",
                          "model.safetensors.index.json", "quant_config.json", "tokenizer.json"));
}

TEST(Selection, WhatTheIndexNames) {
  EXPECT_THAT(selected({"a.safetensors", "sub/b.safetensors", "c.safetensors"}, {}, {"sub/b.safetensors", "c.safetensors"}),
              ElementsAre("c.safetensors", "sub/b.safetensors"));
}

TEST(Selection, PatternsAreThoseOfFnmatch) {
  const std::vector<std::string> paths = {"a.json", "b.txt", "d/c.json", "d/e/f.bin"};
  EXPECT_THAT(selected(paths, {{"*.json"}, {}}), ElementsAre("a.json", "d/c.json"));
  EXPECT_THAT(selected(paths, {{"*"}, {"*.json", "b*"}}), ElementsAre("d/e/f.bin"));
  EXPECT_THAT(selected(paths, {{"d/"}, {}}), ElementsAre("d/c.json", "d/e/f.bin"));
  EXPECT_THAT(selected(paths, {{"[!a].t?t"}, {}}), ElementsAre("b.txt"));
  EXPECT_THAT(selected(paths, {{"JSON"}, {}}), ElementsAre());
  EXPECT_THAT(selected(paths, {{}, {"a*"}}), ElementsAre("b.txt", "d/c.json"));
}

TEST(Selection, WhatCannotBeConvertedIsRefusedBeforeTheDownload) {
  const auto error = [](const std::vector<std::string>& paths) {
    const Tree tree = tree_of(paths);
    return error_of([&] { check_convertible(select_files(tree, {}, {}), tree, "org/name"); });
  };
  EXPECT_THAT(error({"model.safetensors"}),
              IsError(ErrorCode::kUnsupported, HasSubstr("org/name: no config.json, found model.safetensors")));
  EXPECT_THAT(
      error({"config.json", "pytorch_model.bin"}),
      IsError(ErrorCode::kUnsupported, HasSubstr("no model*.safetensors, found config.json, pytorch_model.bin"), HasSubstr("--include")));
  EXPECT_EQ(error({"config.json", "model.safetensors"}).code(), ErrorCode::kInternal);  // none
}

}  // namespace
}  // namespace hf2mlx
