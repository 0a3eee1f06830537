#include "writer/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "writer/test_checkpoint.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

ChatTemplates templates_of(const TempFolder& folder) { return chat_templates_to_add(checkpoint_of(folder).side_files); }

TEST(ChatTemplate, StringInTokenizerConfig) {
  const TempFolder folder;
  const std::string text = "{% if x %}\r\n\"\xC3\xA9\xF0\x9F\x98\x80\"\\n{{ y }}\n\n";
  folder.put("tokenizer_config.json", Json{{"chat_template", text}}.dump());
  const ChatTemplates out = templates_of(folder);
  EXPECT_THAT(out.files, ElementsAre(Pair("chat_template.jinja", text)));
  EXPECT_THAT(out.notes, IsEmpty());
}

TEST(ChatTemplate, NamedListInTokenizerConfig) {
  const TempFolder folder;
  folder.put("tokenizer_config.json", R"({"chat_template": [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"},
      {"name": "rag", "template": "R"}]})");
  EXPECT_THAT(templates_of(folder).files,
              ElementsAre(Pair("additional_chat_templates/rag.jinja", "R"), Pair("additional_chat_templates/tool_use.jinja", "T"),
                          Pair("chat_template.jinja", "D")));
}

TEST(ChatTemplate, ObjectOfTemplates) {
  const TempFolder folder;
  folder.put("tokenizer_config.json", R"({"chat_template": {"default": "D", "tool_use": "T", "odd": 3}})");
  EXPECT_THAT(templates_of(folder).files,
              ElementsAre(Pair("additional_chat_templates/tool_use.jinja", "T"), Pair("chat_template.jinja", "D")));
}

TEST(ChatTemplate, ProcessorFileOnly) {
  const TempFolder folder;
  folder.put("tokenizer_config.json", R"({"eos_token": "x", "chat_template": null})");
  folder.put("chat_template.json", R"({"chat_template": "P"})");
  EXPECT_THAT(templates_of(folder).files, ElementsAre(Pair("chat_template.jinja", "P")));
}

TEST(ChatTemplate, TokenizerWinsOverProcessor) {
  const TempFolder folder;
  folder.put("tokenizer_config.json", R"({"chat_template": "T"})");
  folder.put("chat_template.json", R"({"chat_template": "T"})");
  EXPECT_THAT(templates_of(folder).notes, IsEmpty());
  folder.put("chat_template.json", R"({"chat_template": "P"})");
  const ChatTemplates out = templates_of(folder);
  EXPECT_THAT(out.files, ElementsAre(Pair("chat_template.jinja", "T")));
  EXPECT_THAT(out.notes, ElementsAre(HasSubstr("different chat templates")));
}

TEST(ChatTemplate, TemplateFilesOfTheSourceStand) {
  for (const char* file : {"chat_template.jinja", "additional_chat_templates/rag.jinja"}) {
    const TempFolder folder;
    folder.put("tokenizer_config.json", R"({"chat_template": "T"})");
    folder.put(file, "J");
    EXPECT_THAT(templates_of(folder).files, IsEmpty()) << file;
  }
}

TEST(ChatTemplate, NamesThatLeaveTheFolderKeepAllInTheirFile) {
  for (const char* name : {"../../evil", "", "a\\b"}) {
    const TempFolder folder;
    folder.put("tokenizer_config.json",
               Json{{"chat_template", {{{"name", name}, {"template", "E"}}, {{"name", "ok"}, {"template", "O"}}}}}.dump());
    const ChatTemplates out = templates_of(folder);
    EXPECT_THAT(out.files, IsEmpty()) << name;
    EXPECT_THAT(out.notes, ElementsAre(HasSubstr("cannot be a file name"))) << name;
  }
}

TEST(ChatTemplate, SeveralAreNotPutBesideAProcessorsFile) {
  const TempFolder folder;
  folder.put("tokenizer_config.json", R"({"chat_template": {"default": "D", "tool_use": "T"}})");
  folder.put("chat_template.json", R"({"chat_template": {"default": "D", "tool_use": "T"}})");
  const ChatTemplates out = templates_of(folder);
  EXPECT_THAT(out.files, IsEmpty());
  EXPECT_THAT(out.notes, ElementsAre(HasSubstr("beside chat_template.json")));
}

TEST(ChatTemplate, OddShapesHoldNoTemplate) {
  for (const char* json : {"[]", "3", R"({"chat_template": 3})", R"({"chat_template": ["a", 1, {"name": "x"}]})", "{}"}) {
    const TempFolder folder;
    folder.put("tokenizer_config.json", json);
    EXPECT_THAT(templates_of(folder).files, IsEmpty()) << json;
  }
}

TEST(ChatTemplate, BrokenJsonIsNoted) {
  const TempFolder folder;
  folder.put("tokenizer_config.json", R"({"chat_template": "T")");
  const ChatTemplates out = templates_of(folder);
  EXPECT_THAT(out.files, IsEmpty());
  EXPECT_THAT(out.notes, ElementsAre(HasSubstr("tokenizer_config.json is not valid JSON")));
}

}  // namespace
}  // namespace hf2mlx
