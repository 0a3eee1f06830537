#include "tokenizer/build.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_folder.h"
#include "tokenizer/test_spm.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A model's files, and what is built from them.
class Model {
 public:
  Model& file(const std::string& name, std::string_view content) {
    const auto path = folder_.put(name, content);
    files_.push_back({name, path, content.size()});
    return *this;
  }
  Model& tokenizer_config(std::string_view text) { return file("tokenizer_config.json", text); }

  BuiltTokenizer build(const Json& config = Json::object()) const { return build_tokenizer(files_, config); }
  std::vector<std::string> notes(const Json& config = Json::object()) const { return build(config).notes; }
  Json json(const Json& config = Json::object()) const {
    const BuiltTokenizer built = build(config);
    if (!built.tokenizer) return {};
    std::string text;
    write_tokenizer_json(*built.tokenizer, [&](std::string_view piece) { text += piece; });
    return parse_json(text, "tokenizer.json");
  }

 private:
  TempFolder folder_;
  std::vector<SideFile> files_;
};

TEST(BuildTokenizer, AModelThatHasOneIsLeftAlone) {
  const BuiltTokenizer built = Model().file("tokenizer.json", "not read").file("tokenizer.model", small_spm()).build();
  EXPECT_EQ(built.tokenizer, nullptr);
  EXPECT_THAT(built.notes, IsEmpty());
}

TEST(BuildTokenizer, AModelWithoutTokensGetsNothingAndNoNote) { EXPECT_THAT(Model().file("README.md", "").notes(), IsEmpty()); }

TEST(BuildTokenizer, ByTheClass) {
  Model model;
  model.file("tokenizer.model", small_spm()).tokenizer_config(R"({"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": true})");
  EXPECT_THAT(model.notes(), ElementsAre("tokenizer.json was built from tokenizer.model (BPE, as LlamaTokenizer)"));
  const Json json = model.json();
  EXPECT_EQ(json["pre_tokenizer"], Json::parse(R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false})"));
  EXPECT_EQ(json["model"]["vocab"], Json::parse(R"({"<unk>": 0, "<s>": 1, "</s>": 2, "ab": 3, "abb": 4, "a": 5, "b": 6})"));
  EXPECT_EQ(json["model"]["merges"], Json::parse(R"([["a", "b"], ["ab", "b"]])"));
  EXPECT_EQ(json["model"]["unk_token"], "<unk>");
  EXPECT_EQ(json["added_tokens"].size(), 3u);
  EXPECT_EQ(json["post_processor"]["single"][0], Json::parse(R"({"SpecialToken": {"id": "<s>", "type_id": 0}})"));
}

TEST(BuildTokenizer, WithoutAClassAsSentencePieceReadsIt) {
  Model model;
  model.file("tokenizer.model", small_spm());
  EXPECT_THAT(model.notes(), ElementsAre("tokenizer.json was built from tokenizer.model (BPE, as SentencePiece reads it)"));
  EXPECT_EQ(model.json()["normalizer"], Json::parse(R"({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
      {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]})"));
}

TEST(BuildTokenizer, ClassesWhoseCodeBeginsATextWithAToken) {
  const auto before = [](const std::string& settings) {
    Model model;
    model.file("tokenizer.model", small_spm()).tokenizer_config("{" + settings + "}");
    return model.json()["post_processor"]["single"][0].contains("SpecialToken");
  };
  for (const char* name : {"BaichuanTokenizer", "InternLM2Tokenizer", "InternLM3Tokenizer", "IQuestCoderTokenizer", "PlamoTokenizer"}) {
    EXPECT_TRUE(before(fmt::format(R"("tokenizer_class": "{}")", name))) << name;
  }
  EXPECT_FALSE(before(R"("tokenizer_class": "PlamoTokenizer", "add_bos_token": false)"));
  EXPECT_FALSE(before(R"("tokenizer_class": "Ernie4_5_Tokenizer")"));
}

TEST(BuildTokenizer, CodeOfTheModelsOwnIsNamed) {
  Model model;
  model.file("qwen.tiktoken", "YQ== 0\n")
      .tokenizer_config(R"({"tokenizer_class": "QWenTokenizer", "auto_map": {"AutoTokenizer": ["q.Q", null]}})");
  EXPECT_THAT(model.notes(),
              ElementsAre("tokenizer.json was built from qwen.tiktoken (tiktoken, in the way of Qwen); transformers does not use it "
                          "but code of the model's own, QWenTokenizer, which it runs only when trusted"));
  EXPECT_EQ(model.json()["added_tokens"].size(), 208u);
  Model code;
  code.tokenizer_config(R"({"tokenizer_class": "XTokenizer", "auto_map": {}})");
  EXPECT_THAT(code.notes(),
              ElementsAre("the tokenizer is code of the model's own, XTokenizer: no tokenizer.json can be built, and mlx-swift and "
                          "LM Studio cannot load it"));
}

TEST(BuildTokenizer, VocabAndMergesNeedAClassOrAModelType) {
  Model model;
  model.file("vocab.json", R"({"a": 0, "b": 1, "ab": 2})").file("merges.txt", "a b\n");
  EXPECT_THAT(model.notes({{"model_type", "qwen3"}}),
              ElementsAre("tokenizer.json was built from vocab.json and merges.txt (as Qwen2Tokenizer)"));
  EXPECT_THAT(model.notes({{"model_type", "unheard_of"}}), ElementsAre(HasSubstr("none can be built: vocab.json: how a text is cut")));
  EXPECT_THAT(model.notes({{"model_type", "qwen3_5_moe"}}), ElementsAre(HasSubstr("(as Qwen3_5Tokenizer)")));
  model.tokenizer_config(R"({"tokenizer_class": "GPT2Tokenizer"})");
  EXPECT_THAT(model.notes({{"model_type", "unheard_of"}}), ElementsAre(HasSubstr("(as GPT2Tokenizer)")));
}

TEST(BuildTokenizer, AddedTokensThatMoveAreNamed) {
  Model model;
  model.file("tokenizer.model", small_spm())
      .tokenizer_config(R"({"added_tokens_decoder": {"9": {"content": "<x>"}, "8": {"content": "<y>"}}})");
  EXPECT_THAT(model.notes(), ElementsAre(HasSubstr("was built"),
                                         "tokenizer.json: 2 added tokens have other numbers than the source says: <y> is 7 instead of 8"));
}

// <unk> keeps its name: "b" is a token already. The merge with the spare piece goes with its name.
TEST(BuildTokenizer, SettingsNameSparePieces) {
  Model model;
  model.file("tokenizer.model", small_spm())
      .tokenizer_config(R"({"added_tokens_decoder": {"4": {"content": "<|im_end|>", "special": true}, "0": {"content": "b"}}})");
  EXPECT_THAT(model.notes(), ElementsAre(HasSubstr("was built"), HasSubstr("1 added tokens have other numbers")));
  const Json json = model.json();
  EXPECT_EQ(json["model"]["vocab"], Json::parse(R"({"<unk>": 0, "<s>": 1, "</s>": 2, "ab": 3, "<|im_end|>": 4, "a": 5, "b": 6})"));
  EXPECT_EQ(json["model"]["merges"], Json::parse(R"([["a", "b"]])"));
  EXPECT_EQ(json["added_tokens"][3]["content"], "<|im_end|>");
  EXPECT_EQ(json["added_tokens"][3]["id"], 4);
}

TEST(BuildTokenizer, WhatCannotBeReadIsANote) {
  EXPECT_THAT(
      Model().file("tokenizer.model", "version https://git-lfs").notes(),
      ElementsAre("there is no tokenizer.json, and none can be built: tokenizer.model: neither a SentencePiece model nor a tiktoken "
                  "file (mlx-swift and LM Studio need one)"));
  EXPECT_THAT(Model().file("tokenizer.model", small_spm()).tokenizer_config("{").notes(), ElementsAre(HasSubstr("tokenizer_config.json")));
  EXPECT_THAT(Model().file("tokenizer.model", small_spm()).tokenizer_config(R"({"bos_token": 1})").notes(),
              ElementsAre(HasSubstr("bos_token")));
  EXPECT_THAT(Model().file("vocab.txt", "").notes(), ElementsAre(HasSubstr("vocab.txt")));
}

// No bytes may do more than leave a note: every beginning of a file, and every file with one byte changed.
void expect_only_notes(const std::string& name, const std::string& bytes, const std::string& config) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const char change : {'\0', '\x01', '\x20', '\x80', '\xFF'}) {
      std::string other = change == '\0' ? bytes.substr(0, i) : bytes;
      if (change != '\0') other[i] = static_cast<char>(other[i] ^ change);
      EXPECT_THAT(Model().file(name, other).tokenizer_config(config).notes(), testing::Not(IsEmpty())) << i;
    }
  }
}

TEST(BuildTokenizer, NoBytesDoMoreThanLeaveANote) {
  expect_only_notes("tokenizer.model", small_spm(), R"({"tokenizer_class": "LlamaTokenizer"})");
  expect_only_notes("spiece.model", small_spm(), "{}");
  expect_only_notes("tiktoken.model", "YQ== 0\nYg== 1\nYWI= 2\n", R"({"added_tokens_decoder": {"3": {"content": "<x>"}}})");
  const std::string config =
      R"({"bos_token": {"content": "<s>"}, "added_tokens_decoder": {"3": {"content": "<x>"}}, "extra_special_tokens": ["y"]})";
  for (size_t i = 0; i < config.size(); ++i) {
    std::string other = config;
    other[i] = '0';
    Model().file("tokenizer.model", small_spm()).tokenizer_config(other).build();
  }
}

}  // namespace
}  // namespace hf2mlx
