#include "writer/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace hf2mlx {
namespace {

TEST(Manifest, SaysFromWhatAndHow) {
  ConvertOptions options;
  options.source.model = "/home/someone/models/Qwen3-8B";
  options.output = "/home/someone/out";
  options.threads = 7;
  options.command_line = "hf2mlx convert /home/someone/models/Qwen3-8B";
  options.quant.quantize = true;
  options.quant.bits = 4;
  options.quant.fit = "best";
  options.quant.overrides = {"lm_head=8"};
  Checkpoint checkpoint;
  checkpoint.folder = options.source.model;
  checkpoint.name = "Qwen3-8B";
  checkpoint.repo_id = "Qwen/Qwen3-8B";
  checkpoint.commit = "abc";
  const WriterInput input{
      .options = options, .config = Json::object(), .weight_digests = {{"model.safetensors", {7, "77"}}, {"other.safetensors", {8, ""}}}};

  EXPECT_EQ(make_manifest(checkpoint, input, {{"config.json", {3, "33"}}}), Json::parse(R"({
    "hf2mlx": ")" HF2MLX_VERSION R"(",
    "source": {"name": "Qwen3-8B", "repo_id": "Qwen/Qwen3-8B", "commit": "abc"},
    "options": {"quantize": true, "dequantize": false, "mode": "affine", "bits": 4, "fit": "best", "overrides": ["lm_head=8"],
                "max_shard_bytes": 5368709120},
    "files": {"config.json": {"size": 3, "sha256": "33"}, "model.safetensors": {"size": 7, "sha256": "77"}, "other.safetensors": {"size": 8}}
  })"));
}

// A branch may lead elsewhere by now, a commit never.
TEST(Manifest, SaysWhichBranchWasAskedFor) {
  Checkpoint checkpoint;
  checkpoint.name = "model";
  checkpoint.repo_id = "org/model";
  checkpoint.commit = "0123456789abcdef0123456789abcdef01234567";
  const auto revision_of = [&](const char* model, const char* revision) {
    ConvertOptions options;
    options.source.model = model;
    options.source.revision = revision;
    return make_manifest(checkpoint, {.options = options, .config = Json::object()}, {})["source"].value("revision", "");
  };
  EXPECT_EQ(revision_of("org/model", ""), "");
  EXPECT_EQ(revision_of("org/model", "main"), "");
  EXPECT_EQ(revision_of("org/model@0123456789ab", ""), "");
  EXPECT_EQ(revision_of("org/model@v1.0", ""), "v1.0");
  EXPECT_EQ(revision_of("org/model", "refs/pr/1"), "refs/pr/1");
}

TEST(Manifest, LeavesOutWhatIsUnknown) {
  const ConvertOptions options;
  Checkpoint checkpoint;
  checkpoint.name = "local";
  const Json out = make_manifest(checkpoint, {.options = options, .config = Json::object()}, {});
  EXPECT_EQ(out["source"], Json({{"name", "local"}}));
  EXPECT_EQ(out["options"], Json({{"quantize", false}, {"dequantize", false}, {"max_shard_bytes", 5368709120}}));
  EXPECT_EQ(out["files"], Json::object());
}

TEST(Manifest, ItsOptionsAreReadBack) {
  ConvertOptions options;
  options.source.arch = "qwen3";
  options.fix_eos = true;
  options.max_shard_bytes = 7;
  options.quant.quantize = true;
  options.quant.requantize = true;
  options.quant.bits = 6;
  options.quant.group_size = 32;
  options.quant.recipe = "mixed_3_6";
  options.quant.dtype = "float16";
  options.quant.fit = "fast";
  options.quant.overrides = {"lm_head=8", "*.mlp.*=keep"};
  const Checkpoint checkpoint;
  const Json manifest = make_manifest(checkpoint, {.options = options, .config = Json::object()}, {});
  ConvertOptions read;
  ASSERT_TRUE(read_options(manifest, read));
  EXPECT_EQ(make_manifest(checkpoint, {.options = read, .config = Json::object()}, {}), manifest);
  EXPECT_EQ(read.quant.overrides, options.quant.overrides);
  EXPECT_EQ(read.quant.bits, 6u);
}

// A predicate's answers are known once it was asked; the predicate itself cannot be written down.
TEST(Manifest, AnswersOfAPredicateAreReadBack) {
  using Kind = LayerChoice::Kind;
  ConvertOptions options;
  options.quant.quantize = true;
  options.quant.predicate = LayerChoices{{{"a", {Kind::kKeep}}, {"b", {Kind::kStated, 8}}, {"c", {Kind::kStated, 4, 32, "mxfp4"}}}};
  const Json manifest = make_manifest(Checkpoint(), {.options = options, .config = Json::object()}, {});
  EXPECT_EQ(manifest["options"]["choices"],
            Json({{"a", false}, {"b", {{"bits", 8}}}, {"c", {{"bits", 4}, {"group_size", 32}, {"mode", "mxfp4"}}}}));
  ConvertOptions read;
  ASSERT_TRUE(read_options(manifest, read));
  EXPECT_EQ(make_manifest(Checkpoint(), {.options = read, .config = Json::object()}, {}), manifest);
  EXPECT_EQ(read.quant.predicate({.path = "other", .role = {}, .shape = {}}).kind, Kind::kDefault);
  EXPECT_EQ(read.quant.predicate({.path = "b", .role = {}, .shape = {}}).bits, 8u);
}

TEST(Manifest, EveryKeyIsDocumented) {
  std::ifstream page(std::filesystem::path(HF2MLX_SOURCE_DIR) / "docs" / "formats.md");
  std::ostringstream text;
  text << page.rdbuf();
  ConvertOptions options;
  options.source.arch = "qwen3";
  options.fix_eos = true;
  options.quant.quantize = true;
  options.quant.requantize = true;
  options.quant.bits = 6;
  options.quant.group_size = 32;
  options.quant.recipe = "mixed_3_6";
  options.quant.predicate = LayerChoices{};
  options.quant.dtype = "float16";
  options.quant.fit = "fast";
  options.quant.lattice = "q4_0";
  options.quant.overrides = {"lm_head=8"};
  options.quant.imatrix = "imatrix.gguf";
  const Json manifest = make_manifest(Checkpoint(), {.options = options, .config = Json::object()}, {});
  EXPECT_EQ(manifest["options"].size(), 16u);
  for (const auto& [key, value] : manifest.items()) EXPECT_THAT(text.str(), testing::HasSubstr("| `" + key + "` |"));
  for (const auto& [key, value] : manifest["options"].items()) EXPECT_THAT(text.str(), testing::HasSubstr("`" + key + "`"));
}

TEST(Manifest, OptionsOfAnotherVersionAreNotGuessedAt) {
  ConvertOptions read;
  EXPECT_FALSE(read_options({{"options", {{"quantize", true}, {"magic", 1}}}}, read));
  EXPECT_FALSE(read_options({{"options", {{"quantize", "yes"}}}}, read));
  EXPECT_FALSE(read_options({{"files", 1}}, read));
}

}  // namespace
}  // namespace hf2mlx
