#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/console.h"
#include "cli/report_text.h"
#include "report/report_json.h"
#include "request/failure.h"

namespace hf2mlx::cli {
namespace {

Report sample() {
  Report report;
  report.model = "Qwen/Qwen3-8B";
  report.architecture = "qwen3";
  report.model_type = "qwen3";
  report.source = "/cache/snap";
  report.output = "/out/my model";
  report.source_bytes = 16'381'000'000;
  report.output_bytes = 4'608'000'000;
  report.parameters = 8'190'735'360;
  report.bits_per_weight = 4.5006;
  report.quantized_layers = 253;
  report.files = {"model.safetensors", "config.json"};
  report.notes = {"odd"};
  report.seconds = 7.5;
  report.tensors = {{"a.weight", "U32", {4, 2}, "affine 4-bit g64", "model.safetensors", 128, 32},
                    {"n", "BF16", {4}, "", "model.safetensors", 160, 8}};
  return report;
}

TEST(Summary, SaysWhatAUserWants) {
  std::ostringstream out;
  print_summary(out, sample());
  EXPECT_EQ(out.str(),
            "Qwen/Qwen3-8B (qwen3)\n"
            "  16.4 GB -> 4.61 GB, 4.501 bits per weight, 253 layers quantized\n"
            "  7.5 s, 2.18 GB/s\n"
            "  /out/my model\n"
            "\n"
            "Run it:\n"
            "  mlx_lm.generate --model '/out/my model' --prompt \"Hello\"\n");
}

TEST(Summary, SaysWhatChoosingHasGained) {
  Report report = sample();
  LayerError small;
  small.layer = "a";
  small.values = 3000;
  small.measured = 1000;
  small.value_rms = 1;
  small.relative_rms = 0.08;
  small.rounding_rms = 0.09;
  LayerError large = small;
  large.layer = "b";
  large.values = 1000;
  large.relative_rms = 0.2;
  large.rounding_rms = 0.4;
  large.zeros = 0.5;
  large.rounding_zeros = 1;
  report.errors = {small, large};
  std::ostringstream out;
  print_summary(out, report);
  EXPECT_THAT(
      out.str(),
      ::testing::HasSubstr("\n  error 12.17 % RMS, by plain rounding 21.47 % (squared: -67.9 %); exact zeros 12.50 %, by plain rounding "
                           "25.00 %\n  most in b 20.00 % (40.00 %), a 8.00 % (9.00 %); measured on 50.00 % of the weights, each layer with "
                           "--json\n"));
  EXPECT_EQ(to_json(report, DryRun::kNo)["whole_error"]["values"], 4000);
  EXPECT_EQ(to_json(report, DryRun::kNo)["errors"].size(), 2);
}

TEST(Summary, LmStudioNamesTheModelAsItsListDoes) {
  Report report = sample();
  report.output = "/m/Qwen/Qwen3-8B-MLX";
  report.quantized_layers = 0;
  std::ostringstream out;
  print_lm_studio_summary(out, report);
  EXPECT_THAT(out.str(), ::testing::EndsWith("\nOpen LM Studio: it is listed as Qwen/Qwen3-8B-MLX.\n"));
  EXPECT_THAT(out.str(), ::testing::HasSubstr("no layer quantized"));
}

TEST(Plan, ListsEveryTensor) {
  std::ostringstream out;
  print_plan(out, sample());
  EXPECT_EQ(out.str(),
            "TENSOR    ENCODING              SHAPE   FILE               OFFSET  BYTES\n"
            "a.weight  U32 affine 4-bit g64  [4, 2]  model.safetensors     128     32\n"
            "n         BF16                  [4]     model.safetensors     160      8\n"
            "\n"
            "Qwen/Qwen3-8B (qwen3) to /out/my model: nothing was written\n"
            "  16.4 GB -> 4.61 GB in 2 tensors and 1 file, 4.501 bits per weight, 253 layers quantized\n");
}

TEST(ReportJson, TensorsOnlyInAPlanAndSecondsOnlyInAConversion) {
  const Json plan = to_json(sample(), DryRun::kYes);
  EXPECT_EQ(
      plan["tensors"][0],
      Json::parse(R"({"name": "a.weight", "dtype": "U32", "shape": [4, 2], "encoding": "affine 4-bit g64", "shard": "model.safetensors",
                            "offset_bytes": 128, "size_bytes": 32})"));
  EXPECT_EQ(plan["dry_run"], true);
  EXPECT_FALSE(plan.contains("seconds"));
  const Json conversion = to_json(sample(), DryRun::kNo);
  EXPECT_FALSE(conversion.contains("tensors"));
  EXPECT_EQ(conversion["seconds"], 7.5);
  EXPECT_EQ(conversion["output"], "/out/my model");
  EXPECT_EQ(conversion["parameters"], 8'190'735'360);
  EXPECT_EQ(conversion["notes"], Json::array({"odd"}));
}

TEST(ReportJson, Errors) {
  EXPECT_EQ(to_json(Error(ErrorCode::kNotFound, "x: none", "look")),
            Json::parse(R"({"error": {"code": "not_found", "message": "x: none", "hint": "look"}})"));
}

TEST(PrintJson, IsJsonWhateverANameHolds) {
  std::ostringstream out;
  print_json(out, {{"name", "a\xff"}});
  EXPECT_EQ(Json::parse(out.str())["name"], "a\xef\xbf\xbd");
  EXPECT_THAT(out.str(), ::testing::EndsWith("}\n"));
}

Inspection sample_inspection() {
  Inspection inspection;
  inspection.model = "m";
  inspection.model_type = "bert";
  inspection.quantization = "none";
  inspection.why_not = "no architecture reads bert";
  inspection.source = "/m";
  inspection.source_bytes = 24;
  inspection.parameters = 12;
  inspection.dtypes = {{"BF16", 24}};
  inspection.tensors = {{"w", "BF16", {3, 4}, "model.safetensors", 24}};
  return inspection;
}

TEST(InspectionText, DescribesWhatCannotBeConverted) {
  std::ostringstream out;
  print_inspection(out, sample_inspection(), Tensors::kList);
  EXPECT_EQ(out.str(),
            "m\n"
            "  folder        /m\n"
            "  architecture  none for model type bert\n"
            "  parameters    12 (12)\n"
            "  weights       24 B: 24 B BF16\n"
            "  tensors       1\n"
            "  quantization  none\n"
            "  convertible   no: no architecture reads bert\n"
            "\n"
            "TENSOR  DTYPE  SHAPE   FILE               BYTES\n"
            "w       BF16   [3, 4]  model.safetensors     24\n");
}

TEST(InspectionText, SizesAreATable) {
  Inspection inspection = sample_inspection();
  inspection.architecture = "bert";
  inspection.why_not.clear();
  inspection.sizes = {{"4-bit", 10, 4.5}};
  std::ostringstream out;
  print_inspection(out, inspection, Tensors::kCount);
  EXPECT_THAT(out.str(), ::testing::HasSubstr("  convertible   yes\n\n  AS     SIZE  BITS PER WEIGHT\n  4-bit  10 B            4.500\n"));
  EXPECT_THAT(out.str(), ::testing::Not(::testing::HasSubstr("SHAPE")));
}

TEST(InspectionJson, SaysWhetherAndWhyNot) {
  const Json json = to_json(sample_inspection());
  EXPECT_EQ(json["convertible"], false);
  EXPECT_EQ(json["why_not"], "no architecture reads bert");
  EXPECT_EQ(json["dtypes"], Json::parse(R"({"BF16": 24})"));
  EXPECT_EQ(json["tensors"].size(), 1u);
}

TEST(Console, ErrorsAndNotes) {
  std::ostringstream out;
  std::ostringstream err;
  const Console plain{.out = out, .err = err};
  plain.error(Error(ErrorCode::kUsage, "wrong", "do right"));
  plain.error(Error(ErrorCode::kUsage, "wrong"));
  plain.note("odd");
  EXPECT_EQ(err.str(), "hf2mlx: error: wrong\n  do right\nhf2mlx: error: wrong\nnote: odd\n");
  EXPECT_EQ(out.str(), "");
  std::ostringstream colored;
  Console{.out = out, .err = colored, .err_has_color = true}.note("odd");
  EXPECT_EQ(colored.str(), "\x1b[1;33mnote:\x1b[0m odd\n");
}

ErrorCode code_of(const std::exception_ptr& thrown) { return to_error(thrown).code(); }

TEST(Failure, EverythingThrownHasACode) {
  EXPECT_EQ(code_of(std::make_exception_ptr(Error(ErrorCode::kAuth, "x"))), ErrorCode::kAuth);
  EXPECT_EQ(code_of(std::make_exception_ptr(std::bad_alloc())), ErrorCode::kIo);
  EXPECT_EQ(code_of(std::make_exception_ptr(std::logic_error("x"))), ErrorCode::kInternal);
  const auto full = std::make_error_code(std::errc::no_space_on_device);
  EXPECT_EQ(code_of(std::make_exception_ptr(std::filesystem::filesystem_error("x", full))), ErrorCode::kNoSpace);
}

}  // namespace
}  // namespace hf2mlx::cli
