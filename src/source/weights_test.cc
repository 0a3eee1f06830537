#include "source/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/expect_error.h"
#include "source/test_model.h"
#include "source/weight_index.h"
#include "source/weight_names.h"

namespace hf2mlx {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kOne = "model-00001-of-00002.safetensors";
constexpr const char* kTwo = "model-00002-of-00002.safetensors";

class Weights : public testing::Test {
 protected:
  TempFolder folder_;
  std::vector<std::string> notes_;

  // "tensor@file" of each.
  std::vector<std::string> read() {
    std::vector<std::string> out;
    notes_.clear();
    for (const StoredTensor& tensor : read_weights(FolderFiles(folder_.path()), notes_)) {
      out.push_back(tensor.name + "@" + std::filesystem::path(tensor.file->name()).filename().string());
    }
    return out;
  }
  Error error() {
    return error_of([&] { read(); });
  }
  void put(const std::string& file, const std::vector<std::string>& tensors) { folder_.put(file, weights_of(tensors)); }
  void put_index(const std::vector<std::pair<std::string, std::string>>& pairs) { folder_.put(kWeightIndexFile, index_of(pairs)); }
};

TEST_F(Weights, OfOneFile) {
  put("model.safetensors", {"b", "a"});
  put("other.safetensors", {"c"});
  EXPECT_THAT(read(), ElementsAre("a@model.safetensors", "b@model.safetensors"));
  EXPECT_THAT(notes_, IsEmpty());
  const auto tensors = read_weights(FolderFiles(folder_.path()), notes_);
  EXPECT_EQ(tensors[0].dtype, Dtype::kU8);
  EXPECT_EQ(tensors[0].shape, Shape{2});
  EXPECT_EQ(tensors[0].size_bytes, 2u);
  EXPECT_EQ(tensors[0].offset_bytes, std::filesystem::file_size(folder_ / "model.safetensors") - 2);
  EXPECT_EQ(tensors[0].file, tensors[1].file);
}

TEST_F(Weights, OfAllFilesThatMlxLmLoads) {
  put(kOne, {"a"});
  put(kTwo, {"b"});
  put("model_mtp.safetensors", {"c"});
  EXPECT_THAT(read(), ElementsAre(std::string("a@") + kOne, std::string("b@") + kTwo, "c@model_mtp.safetensors"));
  put_index({{"a", kOne}, {"b", kTwo}});
  EXPECT_THAT(read(), ElementsAre(std::string("a@") + kOne, std::string("b@") + kTwo, "c@model_mtp.safetensors"));
  EXPECT_THAT(notes_, ElementsAre("model_mtp.safetensors is not in the index; its tensors are used, as mlx_lm does"));
}

TEST_F(Weights, IndexNamesAMissingFile) {
  put(kOne, {"a"});
  put_index({{"a", kOne}, {"b", kTwo}, {"c", "gone.safetensors"}});
  EXPECT_THAT(error(), IsError(ErrorCode::kNotFound, folder_.path().string() + ": incomplete model: missing gone.safetensors, " + kTwo,
                               HasSubstr("download")));
}

TEST_F(Weights, DanglingLinkIsMissing) {
  put(kOne, {"a"});
  folder_.link(kTwo, "../blobs/b");
  EXPECT_THAT(error(), IsError(ErrorCode::kNotFound, HasSubstr(std::string("missing ") + kTwo)));
  put_index({{"a", kOne}, {"b", kTwo}});
  EXPECT_THAT(error(), IsError(ErrorCode::kNotFound, HasSubstr(std::string("missing ") + kTwo)));
}

TEST_F(Weights, LinkLoop) {
  folder_.link("model.safetensors", "model.safetensors");
  EXPECT_THAT(error(), IsError(ErrorCode::kIo, HasSubstr("model.safetensors: cannot be opened: Too many levels of symbolic links")));
}

TEST_F(Weights, DanglingIndexIsMissing) {
  put("model.safetensors", {"a"});
  folder_.link(kWeightIndexFile, "nowhere");
  EXPECT_THAT(error(), IsError(ErrorCode::kNotFound, HasSubstr(std::string("missing ") + kWeightIndexFile)));
}

TEST_F(Weights, NumbersTellWhatIsMissingWithoutAnIndex) {
  put("model-00002-of-00004.safetensors", {"a"});
  put("model-00004-of-00004.safetensors", {"b"});
  EXPECT_THAT(error(),
              IsError(ErrorCode::kNotFound, HasSubstr("missing model-00001-of-00004.safetensors, model-00003-of-00004.safetensors")));
}

TEST_F(Weights, NumbersMayBeginAtZero) {
  put("model-00000-of-00002.safetensors", {"a"});
  put("model-00001-of-00002.safetensors", {"b"});
  EXPECT_EQ(read().size(), 2u);
}

TEST_F(Weights, StaleIndexIsIgnored) {
  put("model.safetensors", {"a"});
  put_index({{"x", kOne}, {"y", kTwo}});
  EXPECT_THAT(read(), ElementsAre("a@model.safetensors"));
  EXPECT_THAT(notes_, ElementsAre("model.safetensors.index.json is ignored: none of the files that it names is there"));
}

TEST_F(Weights, MissingFilesAreNotAStaleIndex) {
  put("model_mtp.safetensors", {"a"});
  put_index({{"x", kOne}, {"y", kTwo}});
  EXPECT_THAT(error(), IsError(ErrorCode::kNotFound, HasSubstr(std::string("missing ") + kOne + ", " + kTwo)));
}

TEST_F(Weights, IndexNamesATensorThatNoFileHas) {
  put(kOne, {"a"});
  put(kTwo, {"b"});
  put_index({{"a", kOne}, {"b", kTwo}, {"c", kTwo}});
  EXPECT_THAT(error(),
              IsError(ErrorCode::kCorrupt, HasSubstr("model.safetensors.index.json: names 1 entry of which no file has the tensor: c"),
                      HasSubstr("delete the index")));
}

TEST_F(Weights, TensorsThatTheIndexDoesNotNameAreLoaded) {
  put("model.safetensors", {"a", "b"});
  put_index({{"a", "model.safetensors"}});
  EXPECT_THAT(read(), ElementsAre("a@model.safetensors", "b@model.safetensors"));
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(Weights, SecondCopyIsIgnored) {
  put("model.safetensors", {"a", "b"});
  put(kOne, {"a"});
  put(kTwo, {"b"});
  EXPECT_THAT(error(), IsError(ErrorCode::kCorrupt, AllOf(HasSubstr("tensor a: is in "), HasSubstr(kOne), HasSubstr("model.safetensors"))));
  put_index({{"a", kOne}, {"b", kTwo}});
  EXPECT_THAT(read(), ElementsAre(std::string("a@") + kOne, std::string("b@") + kTwo));
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("model.safetensors is ignored")));
}

TEST_F(Weights, FileThatIsHalfACopyIsAnError) {
  put("model.safetensors", {"a", "z"});
  put(kOne, {"a"});
  put_index({{"a", kOne}});
  EXPECT_THAT(error(), IsError(ErrorCode::kCorrupt, HasSubstr("has 1 tensors that other files have too and 1 that no other has")));
}

TEST_F(Weights, IndexDecidesBetweenItsFiles) {
  put(kOne, {"a", "shared"});
  put(kTwo, {"b", "shared"});
  put_index({{"a", kOne}, {"b", kTwo}, {"shared", kTwo}});
  EXPECT_THAT(read(), ElementsAre(std::string("a@") + kOne, std::string("b@") + kTwo, std::string("shared@") + kTwo));
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("shared")));
  put_index({{"a", kOne}, {"b", kTwo}});
  EXPECT_THAT(error(), IsError(ErrorCode::kCorrupt, HasSubstr("tensor shared: is in model-00001")));
}

TEST_F(Weights, IndexMayNameOtherFilesInTheFolder) {
  put("parts/weights.1.safetensors", {"a"});
  put_index({{"a", "parts/weights.1.safetensors"}});
  EXPECT_THAT(read(), ElementsAre("a@weights.1.safetensors"));
}

TEST_F(Weights, IndexMustNotLeadOut) {
  put("model.safetensors", {"a"});
  for (const std::string file : {"../model.safetensors", "/etc/passwd", "x/../../y", "", "..", "a\\u0000b"}) {
    put_index({{"a", file}});
    EXPECT_THAT(error(), IsError(ErrorCode::kCorrupt, HasSubstr("tensor a: file \"" + file + "\", expected one inside the folder")))
        << file;
  }
}

TEST_F(Weights, IndexOfAnotherForm) {
  put("model.safetensors", {"a"});
  const auto message = [&](const std::string& text) {
    folder_.put(kWeightIndexFile, text);
    const Error problem = error();
    EXPECT_EQ(problem.code(), ErrorCode::kCorrupt) << text;
    return std::string(problem.what());
  };
  EXPECT_THAT(message("{"), HasSubstr("model.safetensors.index.json: parse error at line 1"));
  EXPECT_THAT(message("[]"), HasSubstr("found another value, expected an object"));
  EXPECT_THAT(message("{}"), HasSubstr("found no weight_map, expected one"));
  EXPECT_THAT(message(R"({"weight_map":[]})"), HasSubstr("weight_map is another value, expected an object"));
  EXPECT_THAT(message(R"({"weight_map":null})"), HasSubstr("weight_map is another value, expected an object"));
  EXPECT_THAT(message(R"({"x":{"weight_map":{"a":"b"}}})"), HasSubstr("found no weight_map"));
  EXPECT_THAT(message(R"({"weight_map":{"a":1}})"), HasSubstr("weight_map: tensor a: found another value, expected a file name"));
  EXPECT_THAT(message(R"({"weight_map":{"a":{}}})"), HasSubstr("weight_map: tensor a: found another value, expected a file name"));
}

TEST_F(Weights, NoneOfOurs) {
  EXPECT_THAT(error(), IsError(ErrorCode::kNotFound, HasSubstr("no weights, expected model*.safetensors")));
  const auto refused = [&](const std::string& file, const std::string& hint) {
    folder_.put(file);
    EXPECT_THAT(error(), IsError(ErrorCode::kUnsupported, HasSubstr(": found " + file + ", expected model*.safetensors"), HasSubstr(hint)));
    std::filesystem::remove(folder_ / file);
  };
  refused("pytorch_model.bin", "convert the weights to safetensors");
  refused("consolidated.00.pth", "publisher's own format");
  refused("consolidated.safetensors", "publisher's own format");
  refused("q4.gguf", "GGUF");
  refused("weights.00.safetensors", "rename the file to model.safetensors");
  refused("adapter_model.safetensors", "adapter");
  refused("tf_model.h5", "convert the weights to safetensors");
}

TEST_F(Weights, DamagedFileIsNamed) {
  const auto path = folder_.put("model.safetensors", weights_of({"a", "b"}));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  EXPECT_THAT(error(), IsError(ErrorCode::kCorrupt, HasSubstr(path.string() + ": tensor b: ends at data offset 4, expected at most 3"),
                               HasSubstr("incompletely downloaded")));
}

TEST(WeightNames, OfAllFrameworks) {
  for (const char* name : {"model.safetensors",
                           "pytorch_model-00001-of-00002.bin",
                           "pytorch_model.bin.index.json",
                           "x.pt",
                           "x.pth",
                           "m.ckpt-0.index",
                           "tf_model.h5",
                           "flax_model.msgpack",
                           "m.Q4_K_M.GGUF",
                           "m.ggml",
                           "m.onnx",
                           "m.onnx_data",
                           "m.onnx.data",
                           "m.tflite",
                           "rust_model.ot",
                           "weights.npz",
                           "m.mlmodel",
                           "m.mlpackage",
                           "consolidated.00.pth",
                           "consolidated.safetensors.index.json",
                           "model.safetensors.index.json",
                           "model.safetensors.index.fp16.json",
                           "adapter_model.safetensors"}) {
    EXPECT_TRUE(is_any_weight_file(name)) << name;
  }
  for (const char* name : {"tokenizer.model", "qwen.tiktoken", "chat_template.jinja", "modeling.py", "LICENSE", "merges.txt", "index.json",
                           "tokenizer.json", "picture.png", "spiece.model", "pt", "bin"}) {
    EXPECT_FALSE(is_any_weight_file(name)) << name;
  }
  EXPECT_TRUE(is_mlx_weight_file("model_mtp.safetensors"));
  EXPECT_FALSE(is_mlx_weight_file("model.safetensors.index.json"));
  EXPECT_FALSE(is_mlx_weight_file("pytorch_model.safetensors"));
}

}  // namespace
}  // namespace hf2mlx
