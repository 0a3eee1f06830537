#include "writer/model_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "writer/test_checkpoint.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

void put_source(const TempFolder& source) {
  source.put("config.json", "{\"of\": \"the source\"}");
  source.put("hf2mlx.json", "old");
  source.put("model.safetensors.index.json", "old");
  source.put("README.md", "---\nlicense: mit\n---\nbody\n");
  source.put("LICENSE", "MIT License\n");
  source.put("tokenizer_config.json", "{\"chat_template\":   \"{{ x }}\" }");
  source.put("tokenizer.json", std::string("\0\r\n\xFF", 4));
  source.put("sub/folder/code.py", "print()\n");
}

TEST(ModelFolder, WritesEverythingButWeights) {
  const TempFolder source;
  put_source(source);
  const TempFolder staging;
  const ConvertOptions options;
  const WriterInput input{.options = options,
                          .config = {{"model_type", "qwen3"}, {"_name_or_path", "x"}},
                          .tensors = {{"a.weight", "model.safetensors"}},
                          .total_size_bytes = 12,
                          .total_parameters = 6};
  const WrittenFiles written = write_side_files(checkpoint_of(source), input, staging.path());

  EXPECT_THAT(written.files, ElementsAre("LICENSE", "README.md", "chat_template.jinja", "config.json", "hf2mlx.json",
                                         "model.safetensors.index.json", "sub/folder/code.py", "tokenizer.json", "tokenizer_config.json"));
  EXPECT_THAT(written.notes, IsEmpty());
  for (const char* same : {"LICENSE", "tokenizer.json", "tokenizer_config.json", "sub/folder/code.py"}) {
    EXPECT_EQ(staging.text(same), source.text(same)) << same;
  }
  EXPECT_EQ(staging.text("chat_template.jinja"), "{{ x }}");
  EXPECT_EQ(staging.text("config.json"), "{\n    \"model_type\": \"qwen3\"\n}\n");
  EXPECT_THAT(staging.text("README.md"), StartsWith("---\nlicense: mit\nlibrary_name: mlx\n"));
  EXPECT_EQ(Json::parse(staging.text("model.safetensors.index.json"))["weight_map"], Json({{"a.weight", "model.safetensors"}}));

  const Json manifest = Json::parse(staging.text("hf2mlx.json"));
  EXPECT_EQ(manifest["files"].size(), 8u);
  EXPECT_EQ(manifest["files"]["LICENSE"],
            Json({{"size", 12}, {"sha256", "267f7a2e19dfa9df99af774520985a0e521925293ea5b7e767ab06969d06bf91"}}));
}

TEST(ModelFolder, SameBytesEveryTime) {
  const TempFolder source;
  put_source(source);
  const TempFolder first;
  const TempFolder second;
  const ConvertOptions options;
  const WriterInput input{.options = options, .config = Json::object()};
  const WrittenFiles written = write_side_files(checkpoint_of(source), input, first.path());
  write_side_files(checkpoint_of(source), input, second.path());
  for (const std::string& file : written.files) {
    EXPECT_EQ(first.text(file), second.text(file)) << file;
    EXPECT_EQ(first.text(file).find(source.path().string()), std::string::npos) << file;
  }
}

TEST(ModelFolder, NotesAreCollected) {
  const TempFolder source;
  source.put("README.md", "---\n[\n---\n");
  source.put("tokenizer_config.json", "{");
  const TempFolder staging;
  const ConvertOptions options;
  const WrittenFiles written = write_side_files(checkpoint_of(source), {.options = options, .config = Json::object()}, staging.path());
  EXPECT_THAT(written.notes, ElementsAre(HasSubstr("tokenizer_config.json"), HasSubstr("README.md")));
  EXPECT_EQ(staging.text("tokenizer_config.json"), "{");
}

}  // namespace
}  // namespace hf2mlx
