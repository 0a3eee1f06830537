#include "source/open_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>

#include "base/expect_error.h"
#include "source/test_model.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Model : public testing::Test {
 protected:
  TempFolder folder_;

  void SetUp() override {
    folder_.put("m/config.json", R"({"model_type": "qwen3", "rope": {"__float__": "Infinity"}})");
    folder_.put("m/model.safetensors", weights_of({"b", "a"}));
  }
  Checkpoint open() {
    SourceOptions options;
    options.model = (folder_ / "m").string();
    return open_checkpoint(options);
  }
  Error error() {
    return error_of([&] { open(); });
  }
  std::vector<std::string> side_files() {
    std::vector<std::string> names;
    for (const SideFile& file : open().side_files) names.push_back(file.relative_path);
    return names;
  }
};

TEST_F(Model, IsRead) {
  folder_.put("m/generation_config.json", R"({"eos_token_id": [1, 2]})");
  folder_.put("m/hf_quant_config.json", R"({"quantization": {}})");
  const Checkpoint checkpoint = open();
  EXPECT_EQ(checkpoint.folder, folder_ / "m");
  EXPECT_EQ(checkpoint.name, "m");
  EXPECT_EQ(checkpoint.config.at("model_type"), "qwen3");
  EXPECT_EQ(checkpoint.config.at("rope").get<double>(), INFINITY);
  EXPECT_EQ(checkpoint.generation_config.dump(), R"({"eos_token_id":[1,2]})");
  EXPECT_EQ(checkpoint.quantizer_config.dump(), R"({"quantization":{}})");
  ASSERT_EQ(checkpoint.tensors.size(), 2u);
  EXPECT_EQ(checkpoint.tensors[0].name, "a");
  EXPECT_EQ(checkpoint.weight_bytes, 4u);
  EXPECT_THAT(checkpoint.notes, IsEmpty());
}

TEST_F(Model, FilesOfQuantizersNameTheirMethod) {
  folder_.put("m/quantize_config.json", "{}");
  EXPECT_TRUE(open().quantizer_config.is_null()) << "beside floats";
  folder_.put("m/model.safetensors", weights_of({"a.qweight"}));
  folder_.put("m/quantize_config.json", R"({"bits": 4})");
  EXPECT_EQ(open().quantizer_config.dump(), R"({"bits":4,"quant_method":"gptq"})");
  folder_.put("m/quant_config.json", R"({"w_bit": 4})");
  EXPECT_EQ(open().quantizer_config.dump(), R"({"quant_method":"awq","w_bit":4})");
}

TEST_F(Model, OptionalConfigsMayBeMissingOrBroken) {
  EXPECT_TRUE(open().generation_config.is_null());
  EXPECT_TRUE(open().quantizer_config.is_null());
  folder_.put("m/generation_config.json", "{broken");
  folder_.put("m/hf_quant_config.json", "[]");
  const Checkpoint checkpoint = open();
  EXPECT_TRUE(checkpoint.generation_config.is_null());
  EXPECT_TRUE(checkpoint.quantizer_config.is_null());
  EXPECT_THAT(checkpoint.notes, ElementsAre(HasSubstr("generation_config.json is ignored: "),
                                            HasSubstr("hf_quant_config.json is ignored: found array, expected an object")));
}

TEST_F(Model, OfACache) {
  const std::string repo = "models--Qwen--Qwen3-8B";
  put_cached(folder_, repo, kCommitA, "config.json", "{}");
  put_cached(folder_, repo, kCommitA, "model.safetensors", weights_of({"a"}));
  put_cached(folder_, repo, kCommitA, "tokenizer.json", "tok");
  folder_.put(repo + "/refs/main", kCommitA);
  SourceOptions options;
  options.model = "Qwen/Qwen3-8B";
  options.cache_dir = folder_.path();
  const Checkpoint checkpoint = open_checkpoint(options);
  EXPECT_EQ(checkpoint.repo_id, "Qwen/Qwen3-8B");
  EXPECT_EQ(checkpoint.organisation, "Qwen");
  EXPECT_EQ(checkpoint.name, "Qwen3-8B");
  EXPECT_EQ(checkpoint.commit, kCommitA);
  ASSERT_EQ(checkpoint.side_files.size(), 1u);
  EXPECT_EQ(checkpoint.side_files[0].relative_path, "tokenizer.json");
  EXPECT_EQ(checkpoint.side_files[0].source.parent_path(), folder_ / (repo + "/blobs"));
  EXPECT_EQ(checkpoint.side_files[0].size_bytes, 3u);
}

TEST_F(Model, IncompleteSnapshot) {
  const std::string repo = "models--Qwen--Qwen3-8B";
  const std::string snapshot = repo + "/snapshots/" + kCommitA;
  put_cached(folder_, repo, kCommitA, "config.json", "{}");
  put_cached(folder_, repo, kCommitA, "model-00001-of-00002.safetensors", weights_of({"a"}));
  SourceOptions options;
  options.model = (folder_ / snapshot).string();
  const auto error = [&] { return error_of([&] { open_checkpoint(options); }); };
  EXPECT_THAT(error(), IsError(ErrorCode::kNotFound, options.model + ": incomplete snapshot: missing model-00002-of-00002.safetensors",
                               HasSubstr("download")));
  put_cached(folder_, repo, kCommitA, "model-00002-of-00002.safetensors", weights_of({"b"}));
  folder_.link(snapshot + "/tokenizer.json", "../../blobs/gone");
  folder_.link(snapshot + "/sub/vocab.txt", "../../../blobs/gone");
  folder_.link(snapshot + "/pytorch_model.bin", "../../blobs/gone");
  EXPECT_THAT(error(),
              IsError(ErrorCode::kNotFound, testing::AnyOf(HasSubstr("incomplete snapshot: missing sub/vocab.txt, tokenizer.json"),
                                                           HasSubstr("incomplete snapshot: missing tokenizer.json, sub/vocab.txt"))));
  std::filesystem::remove(folder_ / (snapshot + "/config.json"));
  folder_.link(snapshot + "/config.json", "../../blobs/gone");
  EXPECT_THAT(error(), IsError(ErrorCode::kNotFound, HasSubstr("incomplete snapshot: missing config.json")));
}

TEST_F(Model, ConfigThatIsNone) {
  folder_.put("m/config.json", "{\"a\":\n 1,}");
  EXPECT_THAT(error(), IsError(ErrorCode::kCorrupt, HasSubstr((folder_ / "m/config.json").string() + ": parse error at line 2")));
  folder_.put("m/config.json", "[1]");
  EXPECT_THAT(error(), IsError(ErrorCode::kCorrupt, HasSubstr("config.json: found array, expected an object")));
  folder_.put("m/config.json", "{\"a\":\"\xff\"}");
  EXPECT_THAT(error(), IsError(ErrorCode::kCorrupt, HasSubstr("UTF-8")));
  folder_.put("m/config.json", "");
  std::filesystem::resize_file(folder_ / "m/config.json", (64u << 20) + 1);
  EXPECT_THAT(error(), IsError(ErrorCode::kCorrupt, HasSubstr("config.json: 67108865 bytes, expected at most 67108864")));
}

TEST_F(Model, MissingConfig) {
  std::filesystem::remove(folder_ / "m/config.json");
  EXPECT_THAT(error(), IsError(ErrorCode::kNotFound, HasSubstr("m: no config.json, found model.safetensors")));
  const auto hint_with = [&](const std::string& file) {
    folder_.put("m/" + file);
    const std::string hint = error().hint();
    std::filesystem::remove_all(folder_ / "m");
    std::filesystem::create_directory(folder_ / "m");
    return hint;
  };
  EXPECT_THAT(hint_with("adapter_config.json"), HasSubstr("adapter"));
  EXPECT_THAT(hint_with("model_index.json"), HasSubstr("pipeline"));
  EXPECT_THAT(hint_with("params.json"), HasSubstr("Hugging Face format"));
  EXPECT_THAT(hint_with("x.gguf"), HasSubstr("GGUF"));
  EXPECT_THAT(hint_with("models--Qwen--Qwen3-8B/x"), HasSubstr("Qwen/Qwen3-8B"));
  EXPECT_THAT(hint_with("inner/config.json"), HasSubstr("did you mean " + (folder_ / "m/inner").string()));
  EXPECT_THAT(error(), IsError(ErrorCode::kNotFound, HasSubstr("is empty, expected config.json and model*.safetensors")));
}

TEST_F(Model, NoRights) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  std::filesystem::permissions(folder_ / "m/config.json", std::filesystem::perms::none);
  EXPECT_THAT(error(), IsError(ErrorCode::kIo, HasSubstr("config.json: cannot be read: Permission denied"), HasSubstr("permissions")));
  std::filesystem::permissions(folder_ / "m", std::filesystem::perms::none);
  EXPECT_THAT(error(), IsError(ErrorCode::kIo, HasSubstr("Permission denied"), HasSubstr("permissions")));
  std::filesystem::permissions(folder_ / "m", std::filesystem::perms::owner_all);
}

TEST_F(Model, SideFilesAreEverythingElse) {
  for (const char* name :
       {"README.md", "LICENSE", "tokenizer.model", "tokenizer.json", "qwen.tiktoken", "chat_template.jinja", "modeling_x.py",
        "assets/picture.png", "generation_config.json", ".hidden", "sub/config.json", "sub/deep/x.txt"}) {
    folder_.put(std::string("m/") + name, name);
  }
  for (const char* name : {"hf2mlx.json",
                           "hf_quant_config.json",
                           "quant_config.json",
                           "quantize_config.json",
                           "pytorch_model.bin",
                           "model.safetensors.index.json.lock/x.safetensors",
                           "vision/model.safetensors",
                           "original/params.json",
                           "onnx/tokenizer.json",
                           "coreml/x/y",
                           "openvino/x",
                           "gguf/x",
                           "refs/main",
                           ".git/config",
                           ".gitattributes",
                           ".gitignore",
                           ".cache/huggingface/x",
                           ".DS_Store",
                           "sub/.DS_Store",
                           "._README.md",
                           "sub/__pycache__/x.pyc",
                           "m.mlpackage/data",
                           "sub/x.gguf",
                           "consolidated.00.pth"}) {
    folder_.put(std::string("m/") + name, "{}");
  }
  EXPECT_THAT(side_files(),
              ElementsAre(".hidden", "LICENSE", "README.md", "assets/picture.png", "chat_template.jinja", "generation_config.json",
                          "modeling_x.py", "qwen.tiktoken", "sub/config.json", "sub/deep/x.txt", "tokenizer.json", "tokenizer.model"));
  const Checkpoint checkpoint = open();
  for (const SideFile& file : checkpoint.side_files) {
    EXPECT_EQ(file.source, folder_ / ("m/" + file.relative_path));
    EXPECT_EQ(file.size_bytes, file.relative_path.size());
  }
}

TEST_F(Model, CardInAnotherCaseBecomesTheCard) {
  folder_.put("m/readme.md", "x");
  folder_.put("m/sub/readme.md", "y");
  EXPECT_THAT(side_files(), ElementsAre("README.md", "sub/readme.md"));
  folder_.put("m/README.md", "the card");
  EXPECT_THAT(side_files(), ElementsAre("README.md", "sub/readme.md"));
  EXPECT_EQ(open().side_files[0].source, folder_ / "m/README.md");
}

TEST_F(Model, SideFilesBehindLinks) {
  const auto outside = folder_.put("outside/vocab.txt", "12345");
  folder_.link("m/vocab.txt", outside);
  folder_.link("m/folder", folder_ / "outside");
  EXPECT_THAT(side_files(), ElementsAre("folder/vocab.txt", "vocab.txt"));
  EXPECT_EQ(open().side_files[1].source, outside);
  EXPECT_EQ(open().side_files[1].size_bytes, 5u);
}

TEST_F(Model, LinkLoops) {
  folder_.link("m/sub/loop", "loop");
  EXPECT_THAT(error(), IsError(ErrorCode::kIo, HasSubstr("sub/loop: cannot be opened: Too many levels of symbolic links")));
  std::filesystem::remove(folder_ / "m/sub/loop");
  folder_.link("m/sub/up", "..");
  EXPECT_THAT(error(), IsError(ErrorCode::kCorrupt, HasSubstr("m/sub/up: is a symbolic link to a folder that contains it")));
}

TEST_F(Model, DanglingSideFile) {
  folder_.link("m/tokenizer.json", "nowhere");
  EXPECT_THAT(error(), IsError(ErrorCode::kNotFound, HasSubstr("m: incomplete model: missing tokenizer.json")));
}

TEST_F(Model, PipesAreLeftOut) {
  ASSERT_EQ(::mkfifo((folder_ / "m/pipe").c_str(), 0600), 0);
  EXPECT_THAT(side_files(), IsEmpty());
  EXPECT_THAT(open().notes, ElementsAre(HasSubstr("pipe is left out")));
}

}  // namespace
}  // namespace hf2mlx
