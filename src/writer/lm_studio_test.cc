#include "writer/lm_studio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_error.h"
#include "base/temp_folder.h"
#include "hf2mlx/places.h"

namespace hf2mlx {
namespace {

using testing::HasSubstr;

TEST(LmStudioModels, NothingThereYet) {
  const TempFolder home;
  EXPECT_EQ(lm_studio_models(home.path()), home.path() / ".lmstudio/models");
}

TEST(LmStudioModels, OlderFolderOnlyWhereItAloneExists) {
  const TempFolder home;
  home.put(".cache/lm-studio/models/x", "");
  home.put(".lmstudio/settings.json", "{}");
  EXPECT_EQ(lm_studio_models(home.path()), home.path() / ".cache/lm-studio/models");
  home.put(".lmstudio/models/x", "");
  EXPECT_EQ(lm_studio_models(home.path()), home.path() / ".lmstudio/models");
}

TEST(LmStudioModels, SettingsWin) {
  const TempFolder home;
  home.put(".cache/lm-studio/models/x", "");
  home.put(".lmstudio/models/x", "");
  home.put(".lmstudio/settings.json", R"({"downloadsFolder": "/Volumes/Big/models"})");
  EXPECT_EQ(lm_studio_models(home.path()), "/Volumes/Big/models");
  home.put(".lmstudio/settings.json", R"({"downloadsFolder": "~/llm"})");
  EXPECT_EQ(lm_studio_models(home.path()), home.path() / "llm");
  for (const char* unset : {R"({"downloadsFolder": ""})", R"({"downloadsFolder": null})", R"({"language": "en"})", "[]"}) {
    home.put(".lmstudio/settings.json", unset);
    EXPECT_EQ(lm_studio_models(home.path()), home.path() / ".lmstudio/models") << unset;
  }
}

TEST(LmStudioModels, PointerMovesTheHome) {
  const TempFolder home;
  home.put(".lmstudio/settings.json", R"({"downloadsFolder": "/wrong"})");
  home.put(".lmstudio-home-pointer", (home.path() / "elsewhere").string() + "\n");
  EXPECT_EQ(lm_studio_models(home.path()), home.path() / "elsewhere/models");
  home.put("elsewhere/settings.json", R"({"downloadsFolder": "/right"})");
  EXPECT_EQ(lm_studio_models(home.path()), "/right");
  home.put(".lmstudio-home-pointer", "\n");
  EXPECT_EQ(lm_studio_models(home.path()), "/wrong");
}

TEST(LmStudioModels, BrokenSettingsAreNamed) {
  const TempFolder home;
  home.put(".lmstudio/settings.json", "{\"downloadsFolder\": ");
  const Error error = error_of([&] { lm_studio_models(home.path()); });
  EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
  EXPECT_THAT(error.what(), HasSubstr((home.path() / ".lmstudio/settings.json").string()));
  EXPECT_THAT(error.hint(), HasSubstr("--output"));
}

TEST(FormatName, FillsFields) {
  const NameFields fields{"Qwen3-8B", "4", "affine", "64"};
  EXPECT_EQ(format_name(kDefaultNameTemplate, fields), "Qwen3-8B-MLX");
  EXPECT_EQ(format_name("{model}-MLX-q{bits}", fields), "Qwen3-8B-MLX-q4");
  EXPECT_EQ(format_name("{mode}-{bits}-g{group}-{model}", fields), "affine-4-g64-Qwen3-8B");
  EXPECT_EQ(format_name("{model}-{", fields), "Qwen3-8B-{");
  EXPECT_EQ(format_name("{model}-MLX-q{bits}", {"Foo-MLX", "8", "", ""}), "Foo-MLX-q8");
}

TEST(FormatName, RefusesWhatItCannotFill) {
  const Error unknown = error_of([] { format_name("{model}-{date}", {"m", "", "", ""}); });
  EXPECT_EQ(unknown.code(), ErrorCode::kUsage);
  EXPECT_THAT(unknown.what(), HasSubstr("{date}"));
  EXPECT_THAT(unknown.hint(), HasSubstr("{group}"));
  EXPECT_THAT(error_of([] { format_name("{model}-q{bits}", {"m", "", "", ""}); }).what(), HasSubstr("{bits}"));
}

TEST(FormatName, RefusesUnsafeNames) {
  for (const char* bad : {"a/b", "..", "a..b", "a\\b", ".", "", "a\nb"}) {
    EXPECT_EQ(error_of([&] { format_name(bad, {"m", "", "", ""}); }).code(), ErrorCode::kUsage) << bad;
  }
  EXPECT_THROW(format_name("{model}-MLX", {"../../x", "", "", ""}), Error);
}

TEST(LmStudioTarget, PublisherDefaultsToTheOrganisation) {
  EXPECT_EQ(lm_studio_target("/m", "", "Qwen", "Qwen3-8B-MLX"), "/m/Qwen/Qwen3-8B-MLX");
  EXPECT_EQ(lm_studio_target("/m", "me", "Qwen", "Qwen3-8B-MLX"), "/m/me/Qwen3-8B-MLX");
  const Error error = error_of([] { lm_studio_target("/m", "", "", "x"); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.hint(), HasSubstr("--lm-studio PUBLISHER"));
  EXPECT_THROW(lm_studio_target("/m", "..", "", "x"), Error);
  EXPECT_THROW(lm_studio_target("/m", "a/b", "", "x"), Error);
  EXPECT_THROW(lm_studio_target("/m", "a", "", "x/y"), Error);
}

}  // namespace
}  // namespace hf2mlx
