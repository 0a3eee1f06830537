#include "verify/structure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "base/expect_error.h"
#include "base/temp_folder.h"
#include "base/text_file.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const fs::path kExample = fs::path(HF2MLX_SOURCE_DIR) / "examples" / "tiny-qwen3";
constexpr const char* kIndex = "model.safetensors.index.json";

// The example, its weights as links: what a test writes to is a copy.
class Folder {
 public:
  Folder() {
    for (const auto& entry : fs::directory_iterator(kExample)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".safetensors"))
        folder_.link(name, entry.path());
      else
        fs::copy_file(entry.path(), folder_ / name);
    }
  }

  const TempFolder& files() const { return folder_; }
  Json json(const char* name) const { return read_json_file(folder_ / name); }
  void put(const char* name, const Json& value) const { folder_.put(name, value.dump()); }
  void edit(const char* name, const std::function<void(Json&)>& change) const {
    Json value = json(name);
    change(value);
    put(name, value);
  }

  std::vector<Finding> findings(Depth depth = Depth::kFull) const {
    Findings findings;
    check_structure(open_model_folder(folder_.path(), "tiny-instruct", findings), {}, Registry(), depth, findings);
    check_manifest(open_model_folder(folder_.path(), "", findings), nullptr, nullptr, findings);
    return findings.take();
  }
  std::vector<std::string> checks() const {
    std::vector<std::string> names;
    for (const Finding& finding : findings()) names.push_back(std::string(name_of(finding.severity)) + " " + finding.check);
    return names;
  }

 private:
  TempFolder folder_;
};

TEST(Structure, OfASoundFolder) { EXPECT_THAT(Folder().checks(), IsEmpty()); }

TEST(Structure, FindingsSayWhereWhyAndWhatToDo) {
  const Folder folder;
  fs::remove(folder.files() / "model-00002-of-00004.safetensors");
  const std::vector<Finding> findings = folder.findings();
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(findings[0].severity, Severity::kError);
  EXPECT_EQ(findings[0].check, "index.missing-file");
  EXPECT_EQ(findings[0].place, kIndex);
  EXPECT_THAT(findings[0].reason, HasSubstr("names 1 file that is not there: model-00002-of-00004.safetensors"));
  EXPECT_THAT(findings[0].remedy, HasSubstr("download or convert it again"));
  EXPECT_THAT(findings[0].refused_by, ElementsAre("mlx-lm", "LM Studio", "mlx-swift-lm"));
}

TEST(Structure, IndexAndWeightsDisagree) {
  const Folder folder;
  folder.edit(kIndex, [](Json& index) {
    Json& map = index["weight_map"];
    map["model.norm.weight"] = "model-00001-of-00004.safetensors";
    map["nowhere.weight"] = "model-00001-of-00004.safetensors";
    map.erase("lm_head.weight");
  });
  EXPECT_THAT(folder.checks(), ElementsAre("warning index.unknown-tensor", "warning index.wrong-file", "warning index.unlisted-tensor",
                                           "warning architecture.unchecked"));
}

TEST(Structure, AnIndexOfAnotherForm) {
  const Folder folder;
  folder.put(kIndex, {{"weight_map", {{"a", "model-00001-of-00009.safetensors"}}}});
  EXPECT_THAT(folder.checks(), ElementsAre("warning index.stale"));
}

TEST(Structure, AStrayWeightFile) {
  const Folder folder;
  folder.files().link("model-old.safetensors", kExample / "model-00001-of-00004.safetensors");
  EXPECT_THAT(folder.checks(), ElementsAre("error weights.twice", "error weights.stray"));
}

TEST(Structure, ATruncatedWeightFile) {
  const Folder folder;
  const char* name = "model-00003-of-00004.safetensors";
  const std::string bytes = read_text_file(kExample / name, 64 << 20);
  fs::remove(folder.files() / name);
  folder.files().put(name, bytes.substr(0, bytes.size() - 1));
  EXPECT_THAT(folder.checks(), Contains("error weights.header"));
}

TEST(Structure, TensorsThatTheConfigDoesNotKnow) {
  const Folder folder;
  folder.edit("config.json", [](Json& config) { config["num_hidden_layers"] = 5; });
  EXPECT_THAT(folder.checks(), ElementsAre("error architecture.tensors"));
  folder.edit("config.json", [](Json& config) { config["model_type"] = "qwen33"; });
  EXPECT_THAT(folder.checks(), ElementsAre("error architecture.unknown"));
  fs::remove(folder.files() / "config.json");
  EXPECT_THAT(folder.checks(), Contains("error config.missing"));
  folder.files().put("config.json", "{");
  EXPECT_THAT(folder.checks(), Contains("error files.json"));
}

// Each value as mlx-swift-lm's BaseConfiguration would decode it.
TEST(Structure, TypesThatSwiftInsistsOn) {
  const auto found = [](const char* key, const Json& value) {
    const Folder folder;
    folder.edit("config.json", [&](Json& config) { config[key] = value; });
    return folder.checks();
  };
  // transformers, and so mlx-lm, refuses this one too.
  EXPECT_THAT(found("eos_token_id", "2"), Contains("error config.type"));
  EXPECT_THAT(found("eos_token_id", Json::array({1, "x"})), Contains("error config.type"));
  EXPECT_THAT(found("text_config", 1), Contains("warning config.type"));
  EXPECT_THAT(found("text_config", {{"eos_token_id", "2"}}), Contains("warning config.type"));
}

TEST(Structure, VisionWithoutATower) {
  const Folder folder;
  folder.edit("config.json", [](Json& config) { config["vision_config"] = Json::object(); });
  EXPECT_THAT(folder.checks(), ElementsAre("warning config.vision"));
}

// Phi 3 small is a model of mlx-lm only.
TEST(Structure, AModelThatSwiftDoesNotHave) {
  const Folder folder;
  folder.edit("config.json", [](Json& config) { config["model_type"] = "phi3small"; });
  const std::vector<Finding> findings = folder.findings();
  const auto found = std::find_if(findings.begin(), findings.end(), [](const Finding& f) { return f.check == "architecture.swift"; });
  ASSERT_NE(found, findings.end());
  EXPECT_EQ(found->severity, Severity::kNote);
  EXPECT_THAT(found->refused_by, ElementsAre("mlx-swift-lm"));
}

TEST(Structure, AVisionModelWithoutAProcessor) {
  const Folder folder;
  folder.edit("config.json", [](Json& config) { config["vision_config"] = Json::object(); });
  const std::string header = R"({"vision_tower.a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}})";
  folder.files().put("model-vision.safetensors", static_cast<char>(header.size()) + std::string(7, '\0') + header + "x");
  EXPECT_THAT(folder.checks(), Contains("warning config.processor"));
  folder.files().put("preprocessor_config.json", "{}");
  EXPECT_THAT(folder.checks(), testing::Not(Contains(HasSubstr("config.processor"))));
}

TEST(Structure, QuantizationOfNothing) {
  const Folder folder;
  folder.edit("config.json", [](Json& config) {
    config["quantization"] = {{"group_size", 64}, {"bits", 4}};
    config["quantization_config"] = config["quantization"];
  });
  EXPECT_THAT(folder.checks(), ElementsAre("warning quantization.nothing-packed"));
}

TEST(Structure, TokensThatFilesNumberDifferently) {
  const Folder folder;
  folder.edit("config.json", [](Json& config) { config["pad_token_id"] = 7; });
  folder.edit("generation_config.json", [](Json& config) { config["pad_token_id"] = 0; });
  EXPECT_THAT(folder.checks(), ElementsAre("note tokenizer.named-ids"));
  folder.edit("tokenizer_config.json", [](Json& config) { config["pad_token"] = "<|endoftext|>"; });
  folder.edit("config.json", [](Json& config) { config["pad_token_id"] = 0; });
  EXPECT_THAT(folder.checks(), IsEmpty());
}

TEST(Structure, TemplatesThatExcludeEachOther) {
  const Folder folder;
  folder.files().put("additional_chat_templates/tool_use.jinja", "t");
  EXPECT_THAT(folder.checks(), testing::Not(Contains(HasSubstr("template.conflict"))));
  folder.files().put("chat_template.json", "{}");
  EXPECT_THAT(folder.checks(), Contains("warning template.conflict"));
}

TEST(Structure, Tokenizers) {
  const Folder folder;
  folder.edit("tokenizer_config.json", [](Json& config) {
    config["tokenizer_class"] = "TokenizersBackend";
    config["extra_special_tokens"] = {"<a>"};
    config["added_tokens_decoder"]["3"] = config["added_tokens_decoder"]["2"];
    config["added_tokens_decoder"].erase("2");
  });
  EXPECT_THAT(folder.checks(), ElementsAre("warning tokenizer.class", "warning tokenizer.extra-tokens", "warning tokenizer.ids"));
  fs::remove(folder.files() / "tokenizer.json");
  EXPECT_THAT(folder.checks(), Contains("warning tokenizer.no-json"));
  fs::remove(folder.files() / "vocab.json");
  EXPECT_THAT(folder.checks(), Contains("error tokenizer.none"));
}

TEST(Structure, ATokenizerOfAnotherModel) {
  const Folder folder;
  folder.edit("tokenizer.json", [](Json& file) { file["added_tokens"][0]["id"] = 4096; });
  EXPECT_THAT(folder.checks(), Contains("warning tokenizer.vocabulary"));
}

TEST(Structure, EndOfTurn) {
  const Folder folder;
  folder.edit("generation_config.json", [](Json& config) { config["eos_token_id"] = 5000; });
  EXPECT_THAT(folder.checks(), ElementsAre("warning stop.range", "warning stop.left-out"));
  folder.edit("tokenizer_config.json", [](Json& config) { config["chat_template"] = "{{ c }}<|eot_id|>"; });
  EXPECT_THAT(folder.checks(), ElementsAre("warning template.token", "warning stop.range"));
  folder.edit("tokenizer_config.json", [](Json& config) { config.erase("chat_template"); });
  EXPECT_THAT(folder.checks(), ElementsAre("warning template.none", "warning stop.range"));
}

TEST(Structure, LeftOvers) {
  const Folder folder;
  folder.files().put("model-00001.safetensors.incomplete");
  folder.files().put("pytorch_model.bin");
  EXPECT_THAT(folder.checks(), ElementsAre("warning files.unfinished", "note files.other-weights"));
}

TEST(Structure, TheManifestTellsWhatWasChanged) {
  const Folder folder;
  const std::string good = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";  // of "foo"
  folder.files().put("a.txt", "foo");
  folder.files().put("README.md", "bar");
  folder.put("hf2mlx.json", {{"files", {{"a.txt", {{"size", 3}, {"sha256", good}}}}}});
  EXPECT_THAT(folder.checks(), IsEmpty());
  folder.put("hf2mlx.json", {{"files",
                              {{"a.txt", {{"size", 4}, {"sha256", good}}},
                               {"README.md", {{"size", 3}, {"sha256", good}}},
                               {"../outside", {{"size", 3}, {"sha256", good}}},
                               {"model.safetensors", {{"size", 3}, {"sha256", good}}}}}});
  EXPECT_THAT(folder.checks(), ElementsAre("error manifest.changed", "warning manifest.changed", "note manifest.changed"));
}

std::vector<std::string> notes_of(const Folder& folder) {
  const SourceOptions source;
  const Json config = Json::object();
  return notes_on_output({folder.files().path(), "tiny", source, config}, Registry());
}

TEST(NotesOnOutput, AreWarningsAndWhatTheSourceLacks) {
  const Folder folder;
  EXPECT_THAT(notes_of(folder), IsEmpty());
  folder.edit("config.json", [](Json& config) { config["vision_config"] = Json::object(); });
  EXPECT_THAT(notes_of(folder), ElementsAre(HasSubstr("LM Studio takes this for a vision model")));
  fs::remove(folder.files() / "tokenizer.json");
  fs::remove(folder.files() / "vocab.json");
  EXPECT_THAT(notes_of(folder), Contains(StartsWith("tiny: no tokenizer is there")));
}

TEST(NotesOnOutput, WhatWeHaveMadeWrongIsOurDefect) {
  const Folder folder;
  folder.edit(kIndex, [](Json& index) { index["weight_map"]["x"] = "model-00007-of-00004.safetensors"; });
  EXPECT_THAT(error_of([&] { notes_of(folder); }), IsError(ErrorCode::kInternal, HasSubstr("model-00007-of-00004.safetensors")));
}

}  // namespace
}  // namespace hf2mlx
