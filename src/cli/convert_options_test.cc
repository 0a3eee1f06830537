#include "request/convert_options.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "cli/parse.h"
#include "hf2mlx/error.h"
#include "request/variants.h"

namespace hf2mlx::cli {
namespace {

using ::testing::ElementsAre;

class ConvertOptionsTest : public ::testing::Test {
 protected:
  ConvertArguments arguments(std::vector<std::string> words) {
    CLI::App app;
    ConvertArguments arguments;
    declare_convert(app, arguments);
    std::reverse(words.begin(), words.end());
    app.parse(words);
    return arguments;
  }

  ConvertOptions options(const std::vector<std::string>& words) { return convert_options(untangled(arguments(words)), places_); }

  std::string refusal(const std::vector<std::string>& words) {
    try {
      options(words);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return error.what();
    }
    return "accepted";
  }

  std::string studio(const std::vector<std::string>& words, const std::string& organisation = "Qwen") {
    const ConvertArguments given = untangled(arguments(words));
    ConvertOptions o;
    o.quant = given.quant;
    return lm_studio_variants(given, o, places_, organisation, "Qwen3-8B").front().output.string();
  }

  // The name of each folder, and how it is quantized.
  std::vector<std::string> variants(const std::vector<std::string>& words) {
    std::vector<std::string> out;
    for (const Variant& v : variants_of(arguments(words), options(words))) {
      const QuantOptions& q = v.quant;
      out.push_back(fmt::format("{} {} {} {} {} {}", v.output.filename().string(), q.quantize ? "q" : "-", q.mode, q.bits.value_or(0),
                                q.group_size.value_or(0), q.recipe));
    }
    return out;
  }

  std::vector<std::string> studio_names(const std::vector<std::string>& words) {
    std::vector<std::string> out;
    for (const Variant& v : lm_studio_variants(arguments(words), options(words), places_, "Qwen", "Qwen3-8B")) {
      out.push_back(v.output.filename().string());
    }
    return out;
  }

  const Places places_{.home = "/nonexistent/home", .hub_cache = "/cache"};
};

TEST_F(ConvertOptionsTest, DefaultsAreThoseOfMlxLm) {
  const ConvertOptions o = options({"Qwen/Qwen3-8B"});
  EXPECT_EQ(o.source.model, "Qwen/Qwen3-8B");
  EXPECT_EQ(o.source.cache_dir, "/cache");
  EXPECT_EQ(o.output, "mlx_model");
  EXPECT_FALSE(o.quant.quantize);
  EXPECT_FALSE(o.quant.dequantize);
  EXPECT_EQ(o.quant.bits, std::nullopt);
  EXPECT_EQ(o.quant.group_size, std::nullopt);
  EXPECT_EQ(o.quant.mode, "affine");
  EXPECT_EQ(o.quant.recipe, "");
  EXPECT_EQ(o.quant.dtype, "");
  EXPECT_FALSE(o.force);
  EXPECT_EQ(o.threads, 0u);
  EXPECT_EQ(o.max_memory_bytes, 0u);
  EXPECT_EQ(o.max_shard_bytes, 5ull << 30);
}

TEST_F(ConvertOptionsTest, EveryOptionOfMlxLm) {
  const ConvertOptions o = options({"--hf-path", "M", "--mlx-path", "out", "-q", "--q-bits", "3", "--q-group-size=32", "--q-mode", "mxfp4",
                                    "--quant-predicate", "mixed_3_6", "--dtype", "bfloat16", "--revision", "v1", "--trust-remote-code"});
  EXPECT_EQ(o.source.model, "M");
  EXPECT_EQ(o.output, "out");
  EXPECT_TRUE(o.quant.quantize);
  EXPECT_EQ(o.quant.bits, 3u);
  EXPECT_EQ(o.quant.group_size, 32u);
  EXPECT_EQ(o.quant.mode, "mxfp4");
  EXPECT_EQ(o.quant.recipe, "mixed_3_6");
  EXPECT_EQ(o.quant.dtype, "bfloat16");
  EXPECT_EQ(o.source.revision, "v1");
  EXPECT_TRUE(options({"M", "-d"}).quant.dequantize);
}

TEST_F(ConvertOptionsTest, OurOwnOptions) {
  const ConvertOptions o =
      options({"--source", "M", "--output", "out", "--force", "--threads", "3", "--max-memory", "256MB", "--max-shard-size", "2GB",
               "--arch", "llama", "--arch-dir", "archs", "--q-override", "lm_head=8", "--q-override", "*.mlp.*=3:64"});
  EXPECT_TRUE(o.force);
  EXPECT_EQ(o.threads, 3u);
  EXPECT_EQ(o.max_memory_bytes, 256ull << 20);
  EXPECT_EQ(o.max_shard_bytes, 2ull << 30);
  EXPECT_EQ(o.source.arch, "llama");
  EXPECT_EQ(o.source.arch_dir, "archs");
  EXPECT_THAT(o.quant.overrides, ElementsAre("lm_head=8", "*.mlp.*=3:64"));
  EXPECT_EQ(options({"M", "--single-file"}).max_shard_bytes, std::numeric_limits<uint64_t>::max());
}

TEST_F(ConvertOptionsTest, PositionalAndNamedMix) {
  EXPECT_EQ(options({"--model", "M", "out"}).output, "out");
  EXPECT_EQ(options({"M", "--output", "out"}).output, "out");
  EXPECT_EQ(options({"-q", "M", "out"}).output, "out");
}

TEST_F(ConvertOptionsTest, TheLastValueCounts) { EXPECT_EQ(options({"M", "--q-bits", "4", "--q-bits", "8"}).quant.bits, 8u); }

TEST_F(ConvertOptionsTest, BracketsAndCommasInAPatternAreItsOwn) {
  EXPECT_THAT(options({"M", "--q-override", "[ab]*,c=[4]"}).quant.overrides, ElementsAre("[ab]*,c=[4]"));
}

TEST_F(ConvertOptionsTest, Contradictions) {
  EXPECT_EQ(refusal({}), "MODEL is missing");
  EXPECT_EQ(refusal({"A", "--hf-path", "B"}), "two models are named: 'A' and 'B'");
  EXPECT_EQ(refusal({"A", "B", "--output", "C"}), "two output folders are named: 'B' and 'C'");
  EXPECT_EQ(refusal({"A", "-q", "-d"}), "--quantize and --dequantize contradict each other");
  EXPECT_EQ(refusal({"A", "B", "--lm-studio"}), "--lm-studio chooses the folder itself, and 'B' names another");
  EXPECT_EQ(refusal({"A", "--name", "x"}), "--name is for --lm-studio");
  EXPECT_EQ(refusal({"A", "--single-file", "--max-shard-size", "1GB"}), "--single-file and --max-shard-size contradict each other");
  EXPECT_EQ(refusal({"A", "--threads", "5000"}), "--threads: 5000 is too many, expected at most 1024");
  EXPECT_EQ(refusal({"A", "--output", ""}), "OUT is empty");
  EXPECT_EQ(refusal({"A", "-q", "--q-bits", "4,8", "--upload-repo", "me/mine"}),
            "--upload-repo: several models cannot go to one repository");
}

TEST_F(ConvertOptionsTest, LmStudio) {
  EXPECT_EQ(studio({"M", "--lm-studio"}), "/nonexistent/home/.lmstudio/models/Qwen/Qwen3-8B-MLX");
  EXPECT_EQ(studio({"M", "--lm-studio", "me"}), "/nonexistent/home/.lmstudio/models/me/Qwen3-8B-MLX");
  EXPECT_EQ(studio({"M", "--lm-studio=me", "-q", "--name", "{model}-MLX-{bits}bit"}),
            "/nonexistent/home/.lmstudio/models/me/Qwen3-8B-MLX-4bit");
  EXPECT_EQ(studio({"M", "--lm-studio=me", "-q", "--q-mode", "mxfp8", "--name", "{model}-{mode}-{bits}-{group}"}),
            "/nonexistent/home/.lmstudio/models/me/Qwen3-8B-mxfp8-8-32");
  EXPECT_THROW(studio({"M", "--lm-studio"}, ""), Error);
}

TEST_F(ConvertOptionsTest, AModelAfterLmStudioIsTheModel) {
  EXPECT_EQ(options({"--lm-studio", "Qwen/Qwen3-8B", "-q"}).source.model, "Qwen/Qwen3-8B");
  EXPECT_EQ(studio({"--lm-studio", "Qwen/Qwen3-8B", "-q"}), "/nonexistent/home/.lmstudio/models/Qwen/Qwen3-8B-MLX");
}

TEST_F(ConvertOptionsTest, OneModelHasNoLabel) {
  EXPECT_THAT(variants({"M", "out", "-q", "--q-bits", "8"}), ElementsAre("out q affine 8 0 "));
  EXPECT_THAT(variants({"M", "out", "--q-bits", "4,8"}), ElementsAre("out - affine 0 0 "));
}

TEST_F(ConvertOptionsTest, SeveralModelsAreLabelled) {
  EXPECT_THAT(variants({"M", "a/out/", "-q", "--q-bits", "4,8", "--q-group-size", "32"}),
              ElementsAre("out-4bit-g32 q affine 4 32 ", "out-8bit-g32 q affine 8 32 "));
  EXPECT_THAT(variants({"M", "out", "--variant", "4", "--variant", "8:128", "--variant", "mxfp4", "--variant", "8:32:mxfp8", "--variant",
                        "mixed_4_6", "--variant", "none"}),
              ElementsAre("out-4bit q affine 4 0 ", "out-8bit-g128 q affine 8 128 ", "out-mxfp4 q mxfp4 0 0 ", "out-mxfp8 q mxfp8 8 32 ",
                          "out-mixed_4_6 q affine 0 0 mixed_4_6", "out-unquantized - affine 0 0 "));
  EXPECT_THAT(variants({"M", "--variant", "none", "--dtype", "bfloat16"}), ElementsAre("mlx_model-bfloat16 - affine 0 0 "));
}

TEST_F(ConvertOptionsTest, SeveralModelsInLmStudio) {
  EXPECT_THAT(studio_names({"M", "--lm-studio", "-q", "--q-bits", "4,8"}), ElementsAre("Qwen3-8B-MLX-4bit", "Qwen3-8B-MLX-8bit"));
  EXPECT_THAT(studio_names({"M", "--lm-studio", "-q", "--q-bits", "4,8", "--name", "{bits}"}), ElementsAre("4", "8"));
  EXPECT_THAT(studio_names({"M", "--lm-studio", "--variant", "4", "--variant", "mxfp4", "--name", "{model}-{bits}"}),
              ElementsAre("Qwen3-8B-4-4bit", "Qwen3-8B-4-mxfp4"));
}

TEST_F(ConvertOptionsTest, VariantsThatContradict) {
  EXPECT_EQ(refusal({"A", "--variant", "4", "-d"}), "--variant and --dequantize contradict each other");
  EXPECT_EQ(refusal({"A", "--variant", "4", "--q-bits", "8"}), "--variant and --q-bits both say how many bits");
  EXPECT_EQ(refusal({"A", "-q", "--q-bits", "4,8", "--quant-predicate", "mixed_2_6"}),
            "--quant-predicate chooses the bits itself, and several are named");
  for (const char* spec : {"four", "4:x", "4:64:affine:1", "", ":64"}) EXPECT_THROW(variants({"A", "--variant", spec}), Error) << spec;
}

TEST_F(ConvertOptionsTest, IdleOptionsAreNamed) {
  EXPECT_THAT(idle_options(arguments({"M", "--requantize"})), ElementsAre("--requantize: no effect without --quantize"));
  EXPECT_THAT(idle_options(arguments({"M", "--variant", "4", "--q-group-size", "32"})), ElementsAre());
  EXPECT_THAT(idle_options(arguments({"M"})), ElementsAre());
  EXPECT_THAT(idle_options(arguments({"M", "-q", "--q-bits", "8"})), ElementsAre());
  EXPECT_THAT(idle_options(arguments({"M", "--q-bits", "8", "--q-mode", "mxfp4"})),
              ElementsAre("--q-bits, --q-mode: no effect without --quantize"));
  EXPECT_THAT(idle_options(arguments({"M", "--trust-remote-code"})),
              ElementsAre("--trust-remote-code: no effect, no code of a model is ever executed"));
}

}  // namespace
}  // namespace hf2mlx::cli
