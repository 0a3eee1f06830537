// Tokenizer, chat template and the end of a text, against each other and against the model.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "hf2mlx/error.h"
#include "source/incomplete.h"
#include "verify/checks.h"
#include "writer/chat_template.h"
#include "writer/end_tokens.h"
#include "writer/special_tokens.h"

namespace hf2mlx {
namespace {

constexpr const char* kTokenizer = "tokenizer.json";
constexpr const char* kTokenizerConfig = "tokenizer_config.json";
constexpr const char* kCopyAgain = "copy it again from the original";

// What is known of the tokenizer.
struct Known {
  std::vector<NamedToken> added;
  int64_t largest_id = -1;
  bool from_file = false;  // from tokenizer.json
};

bool has_any(const ModelFolder& folder, std::initializer_list<const char*> files) {
  return std::any_of(files.begin(), files.end(), [&](const char* file) { return folder.has(file); });
}

void check_there_is_one(const ModelFolder& folder, Findings& findings) {
  if (folder.has(kTokenizer)) return;
  if (has_any(folder, {"tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json"}) ||
      std::any_of(folder.names.begin(), folder.names.end(), [](const std::string& name) { return name.ends_with(".tiktoken"); })) {
    findings.warning({.check = "tokenizer.no-json",
                      .place = kTokenizer,
                      .reason = "is not there: mlx-swift-lm reads no other form of a tokenizer",
                      .remedy = "hf2mlx convert builds one where it can, and says why where it cannot",
                      .refused_by = {kSwift}});
    return;
  }
  findings.error({.check = "tokenizer.none",
                  .place = folder.path.string(),
                  .reason = "no tokenizer is there; mlx-lm loads an empty one for some model types, and none for others",
                  .remedy = "copy the tokenizer's files from the original",
                  .refused_by = {kSwift}});
}

Known read_known(const ModelFolder& folder, Depth depth, Findings& findings) {
  Known known;
  if (folder.has(kTokenizer)) {
    try {
      TokenizerFile file =
          read_tokenizer(folder.path / kTokenizer, depth == Depth::kFull ? ReadTokenizer::kAll : ReadTokenizer::kAddedTokens);
      return {std::move(file.added), file.largest_id, true};
    } catch (const Error& error) {
      findings.error(
          {.check = "tokenizer.json", .place = kTokenizer, .reason = error.what(), .remedy = kCopyAgain, .refused_by = everyone()});
    }
  }
  known.added = added_tokens_of(folder.tokenizer_config);
  for (const NamedToken& token : known.added) known.largest_id = std::max(known.largest_id, token.id);
  return known;
}

// Forms of tokenizer_config.json that only some versions of the programs read.
void check_config_form(const ModelFolder& folder, Findings& findings) {
  const Json& config = folder.tokenizer_config;
  if (!folder.has(kTokenizerConfig)) {
    findings.warning({.check = "tokenizer.no-config",
                      .place = kTokenizerConfig,
                      .reason = "is not there: mlx-swift-lm takes the kind of tokenizer from it",
                      .remedy = "copy it from the original",
                      .refused_by = {kSwift}});
  }
  if (!config.is_object()) return;
  if (config.value("tokenizer_class", Json()) == "TokenizersBackend") {
    findings.warning({.check = "tokenizer.class",
                      .place = "tokenizer_config.json, tokenizer_class",
                      .reason = "TokenizersBackend is written by transformers 5 and unknown to transformers 4 and mlx-swift-lm",
                      .remedy = "copy tokenizer_config.json from the original model, or state the tokenizer's own class",
                      .refused_by = {kSwift}});
  }
  if (config.contains("extra_special_tokens") && config["extra_special_tokens"].is_array()) {
    findings.warning({.check = "tokenizer.extra-tokens",
                      .place = "tokenizer_config.json, extra_special_tokens",
                      .reason = "a list, which transformers 4 refuses and some versions of transformers 5 pass over",
                      .remedy = "copy tokenizer_config.json from the original model, or name them in additional_special_tokens"});
  }
  if (!folder.has(kTokenizer) && config.contains("auto_map")) {
    findings.warning({.check = "tokenizer.code",
                      .place = "tokenizer_config.json, auto_map",
                      .reason = "the tokenizer is Python code of the model's own, which mlx-lm executes only with trust_remote_code",
                      .remedy = "look for a version of the model with a tokenizer.json",
                      .refused_by = {kMlxLm, kLmStudio, kSwift}});
  }
}

// Special tokens that the two files give different numbers or that only one knows.
void check_special_tokens(const ModelFolder& folder, const Known& known, Findings& findings) {
  if (!known.from_file) return;
  std::vector<std::string> different;
  for (const NamedToken& token : added_tokens_of(folder.tokenizer_config)) {
    const NamedToken* other = find_token(known.added, token.content);
    if (other && other->id != token.id) different.push_back(fmt::format("{} ({}, {})", token.content, other->id, token.id));
  }
  if (!different.empty()) {
    findings.warning({.check = "tokenizer.ids",
                      .place = kTokenizerConfig,
                      .reason = fmt::format("tokens with other numbers than in tokenizer.json: {}", shorten(different)),
                      .remedy = "copy both files from the same original"});
  }
}

// The tokens that begin and fill up texts, by all who name them.
void check_named_ids(const ModelFolder& folder, const Known& known, Findings& findings) {
  for (const std::string name : {"bos_token", "pad_token"}) {
    std::map<int64_t, std::vector<std::string>> by_id;
    const auto add = [&](const Json& file, const char* where) {
      if (!file.is_object()) return;
      for (const int64_t id : token_ids(file.value(name + "_id", Json()))) by_id[id].push_back(fmt::format("{} says {}", where, id));
    };
    add(folder.config, "config.json");
    add(folder.generation_config, "generation_config.json");
    const auto text = token_text(folder.tokenizer_config, name.c_str());
    const NamedToken* token = text ? find_token(known.added, *text) : nullptr;
    if (token) by_id[token->id].push_back(fmt::format("the tokenizer {} ({})", token->id, token->content));
    if (by_id.size() < 2) continue;
    std::vector<std::string> all;
    for (const auto& [id, sayings] : by_id) all.insert(all.end(), sayings.begin(), sayings.end());
    findings.note({.check = "tokenizer.named-ids",
                   .place = name + "_id",
                   .reason = fmt::format("{}", fmt::join(all, ", ")),
                   .remedy = "nothing has to be done for mlx-lm, which goes by the tokenizer"});
  }
}

// The number of tokens that the model has embeddings for.
int64_t embedded_tokens(const ModelFolder& folder) {
  int64_t rows = -1;
  for (const WeightFile& file : folder.weights) {
    for (const TensorEntry& tensor : file.tensors) {
      if (tensor.name.ends_with("embed_tokens.weight") && tensor.shape.size() == 2) rows = static_cast<int64_t>(tensor.shape[0]);
    }
  }
  if (rows >= 0 || !folder.config.is_object()) return rows;
  const Json size = folder.config.value("vocab_size", Json());
  return size.is_number_integer() ? size.get<int64_t>() : -1;
}

void check_vocabulary(const ModelFolder& folder, const Known& known, const EndTokens& ends, Findings& findings) {
  const int64_t embedded = embedded_tokens(folder);
  if (embedded < 0) return;
  if (known.largest_id >= embedded) {
    findings.warning({.check = "tokenizer.vocabulary",
                      .place = known.from_file ? kTokenizer : kTokenizerConfig,
                      .reason = fmt::format("has token {}, but the model has embeddings for {} tokens: beyond them it reads garbage",
                                            known.largest_id, embedded),
                      .remedy = "take tokenizer and weights from the same model"});
  }
  for (const int64_t id : ends.all) {
    if (id >= 0 && id < embedded) continue;
    findings.warning({.check = "stop.range",
                      .place = "eos_token_id",
                      .reason = fmt::format("is {}, a token that the model with its {} embeddings never writes", id, embedded),
                      .remedy = "state the token that ends a text"});
  }
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool looks_like_chat(const std::string& name) {
  constexpr std::array<std::string_view, 4> kParts = {"instruct", "chat", "-it-", "assistant"};
  const std::string text = lower(name) + "-";
  return std::any_of(kParts.begin(), kParts.end(), [&](std::string_view part) { return text.find(part) != std::string::npos; });
}

// AutoProcessor of transformers 5, by which programs that read images load a model, does not take the two together.
void check_template_files(const ModelFolder& folder, Findings& findings) {
  const auto is_additional = [](const SideFile& file) {
    return file.relative_path.starts_with(std::string(kChatTemplateFolder) + "/") && file.relative_path.ends_with(".jinja");
  };
  if (!folder.has("chat_template.json") || std::none_of(folder.side_files.begin(), folder.side_files.end(), is_additional)) return;
  findings.warning({.check = "template.conflict",
                    .place = "chat_template.json",
                    .reason = "is there beside additional_chat_templates/, which transformers' AutoProcessor refuses",
                    .remedy = "name its template chat_template.jinja, and remove the file"});
}

std::vector<std::string> check_templates(const ModelFolder& folder, const Known& known, Findings& findings) {
  const ChatTemplateTexts templates = chat_template_texts(folder.side_files);
  std::vector<std::string> texts;
  for (const auto& [name, text] : templates.by_name) texts.push_back(text);
  if (texts.empty() && looks_like_chat(folder.name)) {
    findings.warning({.check = "template.none",
                      .place = "chat_template.jinja",
                      .reason = "no chat template is there, though the model's name is that of one to chat with",
                      .remedy = "copy chat_template.jinja or tokenizer_config.json from the original"});
  }
  if (templates.files_differ) {
    findings.note({.check = "template.different",
                   .place = "chat_template.jinja",
                   .reason = "is another template than the one in tokenizer_config.json or chat_template.json, which older programs read",
                   .remedy = "nothing has to be done if both are meant"});
  }
  check_template_files(folder, findings);
  std::vector<std::string> unknown;
  for (const std::string& text : texts) {
    for (const std::string& word : end_of_turn_words(text)) {
      if (!known.added.empty() && !find_token(known.added, word)) unknown.push_back(word);
    }
  }
  if (!unknown.empty()) {
    findings.warning({.check = "template.token",
                      .place = "the chat template",
                      .reason = fmt::format("ends a turn with {}, which the tokenizer does not know as one token", shorten(unknown)),
                      .remedy = "correct the template, or add the token to the tokenizer"});
  }
  return texts;
}

void check_stop(const EndTokens& ends, const ModelFolder& folder, Findings& findings) {
  for (const EndTokens::Named& named : ends.left_out) {
    findings.warning(
        {.check = "stop.left-out",
         .place = folder.has("generation_config.json") ? "generation_config.json, eos_token_id" : "config.json, eos_token_id",
         .reason = fmt::format("token {} ends a text too, says {}, but mlx-lm and mlx-swift-lm do not stop there", named.id, named.by),
         .remedy = fmt::format("convert with --fix-eos, or write {} there", json_of_ids(ends.all).dump())});
  }
  if (!ends.read.empty()) return;
  findings.warning({.check = "stop.none",
                    .place = "config.json, eos_token_id",
                    .reason = "no token is named that ends a text: generation goes on for ever",
                    .remedy = "state eos_token_id"});
}

}  // namespace

void check_tokenizer(const ModelFolder& folder, Depth depth, Findings& findings) {
  check_there_is_one(folder, findings);
  check_config_form(folder, findings);
  const Known known = read_known(folder, depth, findings);
  check_special_tokens(folder, known, findings);
  check_named_ids(folder, known, findings);
  const std::vector<std::string> templates = check_templates(folder, known, findings);
  const Json eos = folder.config.is_object() ? folder.config.value("eos_token_id", Json()) : Json();
  const EndTokens ends =
      find_end_tokens({eos, folder.generation_config, folder.tokenizer_config, known.added, templates, eos_of_text_config(folder.config)});
  check_vocabulary(folder, known, ends, findings);
  check_stop(ends, folder, findings);
}

}  // namespace hf2mlx
