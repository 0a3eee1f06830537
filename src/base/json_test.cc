#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& text) {
  try {
    parse_json(text, "config.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    return error.what();
  }
  return "no error";
}

TEST(ParseJson, OrdinaryValues) {
  const Json value = parse_json(R"({"b": [1, -2, 3.5, true, null, "x"], "a": {}})", "x");
  EXPECT_EQ(value.dump(), R"({"a":{},"b":[1,-2,3.5,true,null,"x"]})");
}

TEST(ParseJson, TheLastOfEqualKeysCounts) { EXPECT_EQ(parse_json(R"({"a": {"b": 1}, "a": [2]})", "x").dump(), R"({"a":[2]})"); }

TEST(ParseJson, BareAndTaggedFloatsBecomeNumbers) {
  const Json value =
      parse_json(R"([Infinity, -Infinity, NaN, {"__float__": "Infinity"}, {"__float__": "NaN"}, {"__float__":"-Infinity"}])", "x");
  EXPECT_EQ(value[0].get<double>(), INFINITY);
  EXPECT_EQ(value[1].get<double>(), -INFINITY);
  EXPECT_TRUE(std::isnan(value[2].get<double>()));
  EXPECT_EQ(value[3].get<double>(), INFINITY);
  EXPECT_TRUE(std::isnan(value[4].get<double>()));
  EXPECT_EQ(value[5].get<double>(), -INFINITY);
  EXPECT_EQ(parse_json("NaN", "x").type(), Json::value_t::number_float);
}

TEST(ParseJson, OtherTagsAndStringsStay) {
  const std::string text = R"([{"__float__":"Infinity","x":1},{"__float__":"1"},{"__float__":1},"NaN \" Infinity"])";
  EXPECT_EQ(parse_json(text, "x").dump(), text);
}

TEST(ParseJson, MessagesNameFileLineAndColumn) {
  EXPECT_THAT(error_of("{\n  \"a\": ]\n}"), HasSubstr("config.json: parse error at line 2, column 8"));
  EXPECT_THAT(error_of(""), HasSubstr("unexpected end of input"));
  EXPECT_THAT(error_of("{} x"), HasSubstr("config.json: parse error"));
  EXPECT_THAT(error_of("[1, NaN"), HasSubstr("unexpected end of input"));
  EXPECT_THAT(error_of("\"unfinished \\"), HasSubstr("config.json: parse error"));
}

TEST(ParseJson, InvalidUtf8IsAnErrorInValidUtf8) {
  const std::string message = error_of("[\"\xff\xfe\"]");
  EXPECT_THAT(message, HasSubstr("UTF-8"));
  for (const char c : message) EXPECT_GT(c, 0);
}

TEST(ParseJson, LongTokensDoNotFillTheMessage) { EXPECT_LT(error_of("\"" + std::string(100000, 'x')).size(), 300); }

TEST(ParseJson, DepthIsBounded) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_NO_THROW(parse_json(nested(kMaxJsonDepth), "x"));
  EXPECT_EQ(error_of(nested(kMaxJsonDepth + 1)), "config.json: nested deeper than 500 levels");
  EXPECT_EQ(error_of(std::string(1000000, '[')), "config.json: nested deeper than 500 levels");
}

TEST(DumpJson, AsPythonLaysItOut) {
  const Json value = parse_json(
      R"({"z": [], "y": {}, "k": [1, [2, {"a": null}]], "f": [1e-6, 1.0, 1e16, 123456.75, -0.0, 1e22, 0.0001, 1e15], "s": "é\u007f😀\"\\\n\t/", "é": false})",
      "x");
  EXPECT_EQ(dump_json(value), R"({
    "f": [
        1e-06,
        1.0,
        1e+16,
        123456.75,
        -0.0,
        1e+22,
        0.0001,
        1000000000000000.0
    ],
    "k": [
        1,
        [
            2,
            {
                "a": null
            }
        ]
    ],
    "s": "\u00e9\u007f\ud83d\ude00\"\\\n\t/",
    "y": {},
    "z": [],
    "\u00e9": false
}
)");
}

TEST(DumpJson, NonFiniteFloatsAreTagged) {
  EXPECT_EQ(dump_json(Json::array({INFINITY, -INFINITY, NAN}), 1),
            "[\n {\n  \"__float__\": \"Infinity\"\n },\n {\n  \"__float__\": \"-Infinity\"\n },\n {\n  \"__float__\": \"NaN\"\n }\n]\n");
}

TEST(DumpJson, BigIntegersSurvive) {
  for (const char* digits : {"18446744073709551615", "-9223372036854775808", "18446744073709551617", "-123456789012345678901234567890"}) {
    EXPECT_EQ(dump_json(parse_json(digits, "x")), std::string(digits) + "\n");
  }
  // What transformers writes for "no limit" is exactly a double.
  const Json limit = parse_json("1000000000000000019884624838656", "x");
  EXPECT_EQ(limit.get<double>(), 1e30);
  EXPECT_EQ(dump_json(limit), "1e+30\n");
}

class JsonFile : public testing::Test {
 protected:
  std::filesystem::path path_ = std::filesystem::path(testing::TempDir()) / "hf2mlx_json_test.json";
  ~JsonFile() override { std::filesystem::remove_all(path_); }
};

TEST_F(JsonFile, IsReadAndNamedInErrors) {
  std::ofstream(path_) << R"({"a": 1})";
  EXPECT_EQ(read_json_file(path_).dump(), R"({"a":1})");
  std::ofstream(path_) << "{";
  try {
    read_json_file(path_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::StartsWith(path_.string() + ": parse error at line 1"));
  }
}

TEST_F(JsonFile, MissingFolderOrTooLarge) {
  const auto code = [this] {
    try {
      read_json_file(path_);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code(), ErrorCode::kNotFound);
  std::filesystem::create_directory(path_);
  EXPECT_EQ(code(), ErrorCode::kNotFound);
  std::filesystem::remove(path_);
  std::ofstream(path_).close();
  std::filesystem::resize_file(path_, kMaxJsonFileBytes + 1);
  EXPECT_EQ(code(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace hf2mlx
