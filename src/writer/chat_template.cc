// See chat_template.h.
#include "writer/chat_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/text_file.h"
#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

using Templates = std::map<std::string, std::string>;  // by name

const SideFile* find_file(std::span<const SideFile> files, std::string_view path) {
  const auto at = std::find_if(files.begin(), files.end(), [&](const SideFile& file) { return file.relative_path == path; });
  return at == files.end() ? nullptr : &*at;
}

bool is_template_file(const SideFile& file) {
  const std::string& path = file.relative_path;
  return path == kChatTemplateFile || (path.starts_with(std::string(kChatTemplateFolder) + "/") && path.ends_with(".jinja"));
}

// Names become file names.
bool safe_name(const std::string& name) {
  return !name.empty() && name.find('/') == std::string::npos && name.find('\\') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

const std::string* string_at(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(key);
  return at == object.end() ? nullptr : at->get_ptr<const std::string*>();
}

// A string, a list of {"name", "template"}, or an object from names to strings. Anything else holds no template.
Templates parse_templates(const Json& value) {
  if (value.is_string()) return {{"default", value.get<std::string>()}};
  Templates out;
  if (value.is_array()) {
    for (const Json& item : value) {
      const std::string* name = string_at(item, "name");
      const std::string* text = string_at(item, "template");
      if (name != nullptr && text != nullptr) out[*name] = *text;
    }
  } else if (value.is_object()) {
    for (const auto& [name, text] : value.items()) {
      if (text.is_string()) out[name] = text.get<std::string>();
    }
  }
  return out;
}

// Tokenizer files that are not JSON go along as they are; reading them is the business of others.
Templates templates_in(std::span<const SideFile> files, std::string_view path, std::vector<std::string>& notes) {
  const SideFile* file = find_file(files, path);
  if (file == nullptr) return {};
  try {
    const Json json = read_json_file(file->source);
    return json.is_object() ? parse_templates(json.value("chat_template", Json())) : Templates();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorrupt) throw;
    notes.push_back(fmt::format("{} is not valid JSON: copied as it is, no chat template taken from it", path));
    return {};
  }
}

std::string file_of(const std::string& name) {
  return name == "default" ? std::string(kChatTemplateFile) : fmt::format("{}/{}.jinja", kChatTemplateFolder, name);
}

// Readers that find one template file pass over all that is in JSON, so it is all of them or none.
std::string why_not_as_files(const Templates& templates, bool has_chat_template_json) {
  if (has_chat_template_json && std::any_of(templates.begin(), templates.end(), [](const auto& item) { return item.first != "default"; })) {
    return "transformers' AutoProcessor refuses additional_chat_templates/ beside chat_template.json";
  }
  const auto unsafe = std::find_if(templates.begin(), templates.end(), [](const auto& item) { return !safe_name(item.first); });
  return unsafe == templates.end() ? "" : fmt::format("one is named \"{}\", which cannot be a file name", unsafe->first);
}

// What template files hold, by the name that the file has.
Templates templates_in_files(std::span<const SideFile> files) {
  constexpr uint64_t kMaxBytes = 16 << 20;
  Templates out;
  for (const SideFile& file : files) {
    if (!is_template_file(file)) continue;
    const std::string name =
        file.relative_path == kChatTemplateFile ? "default" : std::filesystem::path(file.relative_path).stem().string();
    out[name] = read_text_file(file.source, kMaxBytes);
  }
  return out;
}

}  // namespace

ChatTemplateTexts chat_template_texts(std::span<const SideFile> side_files) {
  std::vector<std::string> notes;
  ChatTemplateTexts out{templates_in_files(side_files), false};
  Templates in_json = templates_in(side_files, "tokenizer_config.json", notes);
  if (in_json.empty()) in_json = templates_in(side_files, "chat_template.json", notes);
  if (out.by_name.empty()) {
    out.by_name = std::move(in_json);
  } else {
    out.files_differ = in_json.contains("default") && out.by_name.contains("default") && in_json["default"] != out.by_name["default"];
  }
  return out;
}

ChatTemplates chat_templates_to_add(std::span<const SideFile> side_files) {
  ChatTemplates out;
  if (std::any_of(side_files.begin(), side_files.end(), is_template_file)) return out;
  Templates templates = templates_in(side_files, "tokenizer_config.json", out.notes);
  Templates processor = templates_in(side_files, "chat_template.json", out.notes);
  if (templates.empty()) {
    templates = std::move(processor);
  } else if (!processor.empty() && processor != templates) {
    out.notes.push_back(
        "tokenizer_config.json and chat_template.json hold different chat templates: tokenizers take the former, processors the latter");
  }
  if (const std::string why = why_not_as_files(templates, find_file(side_files, "chat_template.json") != nullptr); !why.empty()) {
    out.notes.push_back(fmt::format("the chat templates stay in their JSON file only: {}", why));
    return out;
  }
  for (auto& [name, text] : templates) out.files[file_of(name)] = std::move(text);
  return out;
}

}  // namespace hf2mlx
