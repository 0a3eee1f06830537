#include "request/override_file.h"

#include "base/expect_error.h"
#include "base/temp_folder.h"

namespace hf2mlx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OverrideFileTest : public ::testing::Test {
 protected:
  std::vector<std::string> expand(const std::string& text) { return expand_overrides({"@" + folder_.put("o.json", text).string()}); }

  const TempFolder folder_;
};

TEST_F(OverrideFileTest, EveryFormOfASpec) {
  EXPECT_THAT(expand(R"({"lm_head": 8, "*.mlp.*": "6:32", "a": "keep", "b": {"bits": 3}, "c": {"mode": "mxfp8"},
                         "d": {"bits": 2, "group_size": 128, "mode": "affine"}})"),
              ElementsAre("lm_head=8", "*.mlp.*=6:32", "a=keep", "b=3:64:affine", "c=8:32:mxfp8", "d=2:128:affine"));
  EXPECT_THAT(expand("{}"), ElementsAre());
}

TEST_F(OverrideFileTest, TheOrderIsThatOfTheCommandLineAndOfTheFile) {
  const std::string file = folder_.put("o.json", R"({"z": 8, "a": 4})").string();
  EXPECT_THAT(expand_overrides({"first=2", "@" + file, "last=3"}), ElementsAre("first=2", "z=8", "a=4", "last=3"));
}

TEST_F(OverrideFileTest, OtherFormsAreRefused) {
  const auto refusal = [&](const std::string& text) { return error_of([&] { expand(text); }); };
  EXPECT_THAT(refusal("[1]"), IsError(ErrorCode::kUsage, HasSubstr("an object of patterns")));
  EXPECT_THAT(refusal(R"({"a": true})"), IsError(ErrorCode::kUsage, HasSubstr("\"a\": true found")));
  EXPECT_THAT(refusal(R"({"a": {"bit": 4}})"), IsError(ErrorCode::kUsage, HasSubstr("unknown key \"bit\"")));
  EXPECT_THAT(refusal(R"({"a": {"bits": "4"}})"), IsError(ErrorCode::kUsage, HasSubstr("\"bits\" is \"4\"")));
  EXPECT_THAT(refusal(R"({"a": {"mode": "int8"}})"), IsError(ErrorCode::kUsage, HasSubstr("\"mode\" is \"int8\"")));
  EXPECT_THAT(refusal("{"), IsError(ErrorCode::kCorrupt, HasSubstr("o.json")));
  EXPECT_THAT(error_of([&] { expand_overrides({"@" + (folder_ / "none").string()}); }), IsError(ErrorCode::kNotFound, HasSubstr("none")));
}

}  // namespace
}  // namespace hf2mlx
