// The chat template as files of its own, the form that current programs look for first.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "source/checkpoint.h"

namespace hf2mlx {

inline constexpr const char* kChatTemplateFile = "chat_template.jinja";
inline constexpr const char* kChatTemplateFolder = "additional_chat_templates";

struct ChatTemplates {
  std::map<std::string, std::string> files;  // relative path to exact contents
  std::vector<std::string> notes;
};

// Template files to add to those of the source, from `chat_template` of tokenizer_config.json, else of chat_template.json. One template
// becomes chat_template.jinja; of several, the one named "default" does and the others become additional_chat_templates/<name>.jinja.
// Nothing when the source already has a template file: readers then ignore the JSON forms, and a file added beside it would change that.
ChatTemplates chat_templates_to_add(std::span<const SideFile> side_files);

// The templates that programs find in a folder, by name ("default", "tool_use" ...): those of template files, else those of the JSON forms.
struct ChatTemplateTexts {
  std::map<std::string, std::string> by_name;
  bool files_differ = false;  // chat_template.jinja says something else than the JSON forms
};
// JSON that cannot be read holds no templates here.
ChatTemplateTexts chat_template_texts(std::span<const SideFile> side_files);

}  // namespace hf2mlx
