#include "tensor/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_error.h"
#include "io/text_reader.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TextReader model_file(std::string bytes) { return TextReader(std::move(bytes), "m.safetensors"); }

std::string little_endian(uint64_t value) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

std::string file_of(const std::string& header, size_t data_bytes) {
  return little_endian(header.size()) + header + std::string(data_bytes, 'd');
}

Error error_in(const std::string& bytes) {
  return error_of([&] { parse_safetensors_header(model_file(bytes)); });
}

void expect_corrupt(const std::string& header, size_t data_bytes, const std::string& message) {
  EXPECT_THAT(error_in(file_of(header, data_bytes)),
              IsError(ErrorCode::kCorrupt, HasSubstr("m.safetensors: " + message), testing::Not(IsEmpty())))
      << header;
}

TEST(ParseHeader, GivesTheTensorsByOffset) {
  const std::string header = R"({"b":{"data_offsets":[8,12],"shape":[],"dtype":"F32"},"__metadata__":{"format":"pt"},)"
                             R"("a":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8],"extra":{"x":[1,{"y":null}]},"more":-1.5},)"
                             R"("none":{"dtype":"U8","shape":[0,7],"data_offsets":[8,8]}}   )";
  const auto tensors = parse_safetensors_header(model_file(file_of(header, 12)));
  const uint64_t data = 8 + header.size();
  ASSERT_EQ(tensors.size(), 3u);
  EXPECT_EQ(tensors[0].name, "a");
  EXPECT_EQ(tensors[0].dtype, Dtype::kBF16);
  EXPECT_THAT(tensors[0].shape, ElementsAre(2, 2));
  EXPECT_EQ(tensors[0].offset_bytes, data);
  EXPECT_EQ(tensors[0].size_bytes, 8u);
  EXPECT_EQ(tensors[1].name, "none");
  EXPECT_EQ(tensors[1].size_bytes, 0u);
  EXPECT_EQ(tensors[2].name, "b");
  EXPECT_EQ(tensors[2].dtype, Dtype::kF32);
  EXPECT_THAT(tensors[2].shape, IsEmpty());
  EXPECT_EQ(tensors[2].offset_bytes, data + 8);
}

TEST(ParseHeader, MayBeEmpty) { EXPECT_THAT(parse_safetensors_header(model_file(file_of("{}", 0))), IsEmpty()); }

TEST(ParseHeader, LengthBeyondTheFile) {
  EXPECT_THAT(error_in("short"),
              IsError(ErrorCode::kCorrupt, "m.safetensors: 5 bytes, expected at least the 8 of a header length", HasSubstr("download")));
  EXPECT_THAT(error_in(""), IsError(ErrorCode::kCorrupt, HasSubstr("0 bytes")));
  EXPECT_THAT(error_in(little_endian(100) + "{}"),
              IsError(ErrorCode::kCorrupt, "m.safetensors: header length 100 at offset 0, expected at most 2 in a file of 10 bytes",
                      HasSubstr("incompletely downloaded")));
  EXPECT_THAT(error_in(little_endian(UINT64_MAX) + "{}"), IsError(ErrorCode::kCorrupt, HasSubstr("header length 18446744073709551615")));
}

TEST(ParseHeader, LengthBeyondWhatTheFormatAllows) {
  EXPECT_THAT(error_in(little_endian(kMaxSafetensorsHeaderBytes + 1) + std::string(kMaxSafetensorsHeaderBytes + 1, ' ')),
              IsError(ErrorCode::kCorrupt, HasSubstr("header length 100000001 at offset 0, expected at most 100000000")));
}

TEST(ParseHeader, GitLfsPointerIsNamed) {
  EXPECT_THAT(error_in("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
              IsError(ErrorCode::kCorrupt, HasSubstr("header length"), HasSubstr("git lfs pull")));
}

TEST(ParseHeader, NotJson) {
  expect_corrupt("", 0, "parse error at line 1");
  expect_corrupt(R"({"a":)", 0, "parse error at line 1, column 6");
  expect_corrupt("PK\x03\x04", 0, "parse error");
  expect_corrupt("{\"\xff\":1}", 0, "parse error");
  expect_corrupt("{} {}", 0, "parse error");
}

TEST(ParseHeader, MetadataMayBeNull) {
  const auto tensors =
      parse_safetensors_header(model_file(file_of(R"({"__metadata__":null,"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1)));
  ASSERT_EQ(tensors.size(), 1u);
  EXPECT_EQ(tensors[0].name, "a");
}

TEST(ParseHeader, WrongKindsOfValues) {
  expect_corrupt("[]", 0, "header: found an array, expected one object");
  expect_corrupt("1", 0, "header: found another value, expected one object");
  expect_corrupt(R"({"a":1})", 0, "tensor a: found another value, expected an object");
  expect_corrupt(R"({"a":null})", 0, "tensor a: found another value, expected an object");
  expect_corrupt(R"({"a":[]})", 0, "tensor a: found an array, expected an object");
  expect_corrupt(R"({"__metadata__":{"a":1}})", 0, "header: found another value in __metadata__, expected text");
  expect_corrupt(R"({"__metadata__":{"a":{}}})", 0, "header: found an object in __metadata__, expected text");
  expect_corrupt(R"({"__metadata__":{},"__metadata__":{}})", 0, "header: __metadata__ is there twice, expected once");
  expect_corrupt(R"({"a":{"dtype":1}})", 0, "tensor a: found another value for dtype, expected its name");
  expect_corrupt(R"({"a":{"dtype":["U8"]}})", 0, "tensor a: found an array for dtype, expected its name");
  expect_corrupt(R"({"a":{"shape":1}})", 0, "tensor a: found another value for shape, expected an array");
  expect_corrupt(R"({"a":{"shape":[-1]}})", 0, "tensor a: found another value in shape, expected sizes");
  expect_corrupt(R"({"a":{"shape":[1.0]}})", 0, "tensor a: found another value in shape, expected sizes");
  expect_corrupt(R"({"a":{"shape":[[1]]}})", 0, "tensor a: found an array in shape, expected sizes");
  expect_corrupt(R"({"a":{"data_offsets":{}}})", 0, "tensor a: found an object for data_offsets, expected an array");
  expect_corrupt(R"({"a":{"data_offsets":["0"]}})", 0, "tensor a: found another value in data_offsets, expected positions");
}

TEST(ParseHeader, FieldsMissingOrTwice) {
  expect_corrupt(R"({"a":{}})", 0, "tensor a: found no dtype, shape or data_offsets, expected all three");
  expect_corrupt(R"({"a":{"dtype":"U8","shape":[1]}})", 1, "tensor a: found no dtype, shape or data_offsets");
  expect_corrupt(R"({"a":{"dtype":"U8","dtype":"U8"}})", 0, "tensor a: dtype is there twice, expected once");
  expect_corrupt(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1, "tensor a: 1 data_offsets, expected 2");
}

TEST(ParseHeader, UnknownDtype) {
  EXPECT_THAT(error_in(file_of(R"({"a.b":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}})", 1)),
              IsError(ErrorCode::kUnsupported, HasSubstr("m.safetensors: tensor a.b: dtype F4, expected")));
}

TEST(ParseHeader, SizesThatDisagree) {
  expect_corrupt(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8,
                 "tensor a: 8 bytes at data offset 0, expected 12 for F32 [3]");
  expect_corrupt(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "tensor a: data_offsets [8, 0], expected them to rise");
  expect_corrupt(R"({"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0,
                 "tensor a: 0 bytes at data offset 0, expected more than fit a file");
  expect_corrupt(R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0,
                 "tensor a: 0 bytes at data offset 0, expected more than fit a file");
}

std::string two(int a, int b) {
  const auto entry = [](int begin) {
    return R"({"dtype":"U8","shape":[4],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(begin + 4) + "]}";
  };
  return R"({"a":)" + entry(a) + R"(,"b":)" + entry(b) + "}";
}

TEST(ParseHeader, OverlapsHolesAndEnds) {
  EXPECT_THAT(error_in(file_of(two(0, 4), 8)), IsError(ErrorCode::kInternal, "no error"));
  EXPECT_THAT(error_in(file_of(two(4, 0), 8)), IsError(ErrorCode::kInternal, "no error"));
  expect_corrupt(two(0, 2), 8, "tensor b: begins at data offset 2, expected 4, where the one before it ends (they overlap)");
  expect_corrupt(two(0, 6), 10, "tensor b: begins at data offset 6, expected 4, where the one before it ends (there is a hole)");
  expect_corrupt(two(1, 5), 9, "tensor a: begins at data offset 1, expected 0");
  expect_corrupt(two(0, 4), 9, std::to_string(8 + two(0, 4).size() + 9) + " bytes, expected " + std::to_string(8 + two(0, 4).size() + 8));
  EXPECT_THAT(error_in(file_of(two(0, 4), 7)),
              IsError(ErrorCode::kCorrupt, "m.safetensors: tensor b: ends at data offset 8, expected at most 7, where the file ends",
                      HasSubstr("incompletely downloaded")));
}

TEST(ParseHeader, DuplicateNames) {
  expect_corrupt(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2,
                 "tensor a: is there twice, expected once");
}

TEST(LayOut, ExactBytes) {
  const std::vector<uint64_t> shape = {2, 3};
  const std::vector<TensorSpec> tensors = {{"a", Dtype::kBF16, shape}, {"b\"\n", Dtype::kU32, {}}, {"c", Dtype::kU8, {shape.data(), 1}}};
  const SafetensorsLayout layout = lay_out_safetensors(tensors);
  const std::string json =
      R"({"__metadata__":{"format":"mlx"},"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},)"
      R"("b\"\n":{"dtype":"U32","shape":[],"data_offsets":[12,16]},"c":{"dtype":"U8","shape":[2],"data_offsets":[16,18]}})";
  const size_t padded = (json.size() + 7) / 8 * 8;
  EXPECT_EQ(layout.header, little_endian(padded) + json + std::string(padded - json.size(), ' '));
  EXPECT_THAT(layout.offsets_bytes, ElementsAre(8 + padded, 8 + padded + 12, 8 + padded + 16));
  EXPECT_EQ(layout.file_size_bytes, 8 + padded + 18);
}

TEST(LayOut, IsReadBack) {
  std::vector<std::string> names;
  for (int i = 0; i < 50; ++i) names.push_back("layers." + std::to_string(i) + ".weight\xc3\xa9");
  const std::vector<uint64_t> shape = {3, 5};
  std::vector<TensorSpec> tensors;
  for (const std::string& name : names) tensors.push_back({name, Dtype::kF16, shape});
  const SafetensorsLayout layout = lay_out_safetensors(tensors);
  EXPECT_EQ(layout.header.size() % 8, 0u);
  const auto entries = parse_safetensors_header(model_file(layout.header + std::string(50 * 30, 'x')));
  ASSERT_EQ(entries.size(), 50u);
  for (size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].name, names[i]);
    EXPECT_EQ(entries[i].offset_bytes, layout.offsets_bytes[i]);
    EXPECT_EQ(entries[i].shape, shape);
  }
}

TEST(LayOut, NoTensors) {
  const SafetensorsLayout layout = lay_out_safetensors({});
  EXPECT_THAT(parse_safetensors_header(model_file(layout.header)), IsEmpty());
  EXPECT_EQ(layout.file_size_bytes, layout.header.size());
}

}  // namespace
}  // namespace hf2mlx
