// See model_folder.h.
#include "writer/model_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text_file.h"
#include "tokenizer/build.h"
#include "writer/chat_template.h"
#include "writer/end_tokens.h"
#include "writer/manifest.h"
#include "writer/model_card.h"

namespace hf2mlx {
namespace {

constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr const char* kConfigFile = "config.json";
constexpr const char* kGenerationConfigFile = "generation_config.json";
constexpr const char* kCardFile = "README.md";

// A folder may itself be the result of a conversion, so its own manifest does not go along either.
bool is_ours(const SideFile& file) {
  constexpr std::array<std::string_view, 4> kOurs = {kIndexFile, kConfigFile, kCardFile, kManifestFile};
  return std::find(kOurs.begin(), kOurs.end(), file.relative_path) != kOurs.end();
}

void copy_side_files(const Checkpoint& checkpoint, const ConvertOptions& options, OutputFolder& out) {
  for (const SideFile& file : checkpoint.side_files) {
    if (is_copied(file, options)) out.copy(file.relative_path, file.source);
  }
}

// Every token that ends a text where --fix-eos asks for them, else nothing.
std::vector<int64_t> fixed_eos(const Checkpoint& checkpoint, const ConvertOptions& options) {
  return options.fix_eos ? find_end_tokens(checkpoint).all : std::vector<int64_t>();
}

// With --fix-eos this file is ours, too, as it counts before config.json.
void write_generation_config(const Checkpoint& checkpoint, const ConvertOptions& options, OutputFolder& out) {
  if (!options.fix_eos || !checkpoint.generation_config.is_object()) return;
  Json generation = checkpoint.generation_config;
  if (const std::vector<int64_t> eos = fixed_eos(checkpoint, options); !eos.empty()) generation["eos_token_id"] = json_of_ids(eos);
  out.write_text(kGenerationConfigFile, dump_json(generation));
}

void note_end_tokens(const Checkpoint& checkpoint, const ConvertOptions& options, std::vector<std::string>& notes) {
  if (options.fix_eos) return;
  for (const EndTokens::Named& named : find_end_tokens(checkpoint).left_out) {
    notes.push_back(fmt::format("token {} ends a text, says {}, but mlx-lm does not stop there; --fix-eos names it", named.id, named.by));
  }
}

void add_chat_templates(const Checkpoint& checkpoint, OutputFolder& out, std::vector<std::string>& notes) {
  ChatTemplates templates = chat_templates_to_add(checkpoint.side_files);
  for (const auto& [path, text] : templates.files) out.write_text(path, text);
  std::move(templates.notes.begin(), templates.notes.end(), std::back_inserter(notes));
}

void add_tokenizer(const Checkpoint& checkpoint, OutputFolder& out, std::vector<std::string>& notes) {
  BuiltTokenizer built = build_tokenizer(checkpoint.side_files, checkpoint.config);
  if (built.tokenizer) {
    out.write(kTokenizerFile,
              [&](OutputFile& file) { write_tokenizer_json(*built.tokenizer, [&](std::string_view text) { file.append(text); }); });
  }
  std::move(built.notes.begin(), built.notes.end(), std::back_inserter(notes));
}

std::string source_card(const Checkpoint& checkpoint, std::vector<std::string>& notes) {
  constexpr uint64_t kMaxBytes = 4 << 20;
  for (const SideFile& file : checkpoint.side_files) {
    if (file.relative_path != kCardFile) continue;
    if (file.size_bytes <= kMaxBytes) return read_text_file(file.source, kMaxBytes);
    notes.push_back("README.md of the source is too large for a model card: its metadata (licence, tags ...) is not in the new card");
  }
  return {};
}

}  // namespace

bool is_copied(const SideFile& file, const ConvertOptions& options) {
  return !is_ours(file) && !(options.fix_eos && file.relative_path == kGenerationConfigFile);
}

Json output_config(const Checkpoint& checkpoint, const WriterInput& input) {
  Json config = finish_config(input.config, input.vision);
  const std::vector<int64_t> eos = fixed_eos(checkpoint, input.options);
  if (eos.empty()) return config;
  config["eos_token_id"] = json_of_ids(eos);
  if (config.contains("text_config") && config["text_config"].is_object() && config["text_config"].contains("eos_token_id")) {
    config["text_config"]["eos_token_id"] = json_of_ids(eos);
  }
  return config;
}

WrittenFiles write_side_files(const Checkpoint& checkpoint, const WriterInput& input, const std::filesystem::path& staging) {
  OutputFolder out(staging);
  WrittenFiles written;
  out.write(kIndexFile, [&](OutputFile& file) { write_index(file, input.total_size_bytes, input.total_parameters, input.tensors); });
  out.write_text(kConfigFile, dump_json(output_config(checkpoint, input)));
  copy_side_files(checkpoint, input.options, out);
  write_generation_config(checkpoint, input.options, out);
  note_end_tokens(checkpoint, input.options, written.notes);
  add_chat_templates(checkpoint, out, written.notes);
  add_tokenizer(checkpoint, out, written.notes);
  out.write_text(kCardFile, model_card(checkpoint, input, source_card(checkpoint, written.notes), written.notes));
  out.write_text(kManifestFile, dump_json(make_manifest(checkpoint, input, out.files())));
  for (const auto& [path, digest] : out.files()) written.files.push_back(path);
  return written;
}

}  // namespace hf2mlx
