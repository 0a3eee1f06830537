// See model_card.h.
#include "writer/model_card.h"

#include <fmt/format.h>

#include <algorithm>

#include "hf2mlx/error.h"
#include "writer/front_matter.h"

namespace hf2mlx {
namespace {

bool quantized(const WriterInput& input) { return input.config.contains("quantization"); }

// Empty when the source has none at its top.
std::string license_file(const Checkpoint& checkpoint) {
  for (const SideFile& file : checkpoint.side_files) {
    std::string upper = file.relative_path;
    std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    const std::string stem = upper.substr(0, upper.find('.'));
    if (stem == "LICENSE" || stem == "LICENCE") return file.relative_path;
  }
  return {};
}

// A licence text is pointed at, not interpreted: "other" is the hub's word for that.
void add_license(FrontMatter& metadata, const Checkpoint& checkpoint) {
  const std::string file = license_file(checkpoint);
  if (metadata.has("license") || file.empty()) return;
  metadata.set("license", "other");
  if (!metadata.has("license_link")) metadata.set("license_link", file);
}

// The base model is what the weights were made from. What the source says about its own ancestor would be wrong beside it.
void add_base_model(FrontMatter& metadata, const Checkpoint& checkpoint, const WriterInput& input) {
  if (checkpoint.repo_id.empty()) return;
  metadata.set("base_model", checkpoint.repo_id);
  metadata.remove("base_model_relation");
  if (quantized(input)) metadata.set("base_model_relation", "quantized");
}

std::string completed(FrontMatter metadata, const Checkpoint& checkpoint, const WriterInput& input) {
  metadata.set("library_name", "mlx");
  metadata.add_to_list("tags", "mlx");
  if (!metadata.has("pipeline_tag")) metadata.set("pipeline_tag", "text-generation");
  add_license(metadata, checkpoint);
  add_base_model(metadata, checkpoint, input);
  return metadata.dump();
}

std::string metadata_of(const Checkpoint& checkpoint, const WriterInput& input, std::string_view source_card,
                        std::vector<std::string>& notes) {
  try {
    if (const auto yaml = find_front_matter(source_card)) return completed(FrontMatter(*yaml), checkpoint, input);
  } catch (const Error& error) {
    notes.push_back(fmt::format("README.md of the source: {}; its metadata (licence, tags ...) is not in the new card", error.what()));
  }
  return completed(FrontMatter(), checkpoint, input);
}

std::string origin(const Checkpoint& checkpoint) {
  const std::string commit = checkpoint.commit.empty() ? "" : fmt::format(" at commit `{}`", checkpoint.commit);
  if (checkpoint.repo_id.empty()) return fmt::format("a folder named `{}`{}", checkpoint.name, commit);
  return fmt::format("[{0}](https://huggingface.co/{0}){1}", checkpoint.repo_id, commit);
}

// "4-bit affine, groups of 64", with a word where single layers have entries of their own.
std::string encoding_text(const Json& quantization) {
  std::string text = fmt::format("{}-bit {}, groups of {}", quantization.value("bits", 0), quantization.value("mode", "affine"),
                                 quantization.value("group_size", 0));
  const bool layers_differ = std::any_of(quantization.begin(), quantization.end(), [](const Json& value) { return value.is_object(); });
  return layers_differ ? text + "; some layers differ, see `config.json`" : text;
}

std::string weights_text(const WriterInput& input) {
  const std::string bits = fmt::format("{:.3f} bits per weight", input.bits_per_weight);
  if (!quantized(input)) return fmt::format("The weights are not quantized ({}).", bits);
  return fmt::format("The weights are quantized ({}): {}.", encoding_text(input.config["quantization"]), bits);
}

// A fence longer than any run of backticks inside.
std::string code_block(std::string_view language, std::string_view text) {
  size_t longest = 0;
  size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(std::max<size_t>(3, longest + 1), '`');
  return fmt::format("{}{}\n{}\n{}\n", fence, language, text, fence);
}

std::string usage(const std::string& title) {
  const std::string python = fmt::format(R"(from mlx_lm import load, generate

model, tokenizer = load("{}")
prompt = "hello"
if tokenizer.chat_template is not None:
    messages = [{{"role": "user", "content": prompt}}]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
print(generate(model, tokenizer, prompt=prompt)))",
                                         title);
  constexpr const char* kText = R"(## Use with mlx-lm

{}
{}{}
## Use with LM Studio

Place this folder two levels below LM Studio's models folder, as `{}`, and pick it in LM Studio.
`hf2mlx convert --lm-studio` writes there at once.
)";
  const bool is_published = title.find('/') != title.npos;
  return fmt::format(kText, code_block("bash", "pip install mlx-lm\nmlx_lm.chat --model " + title), code_block("python", python),
                     is_published ? "" : fmt::format("\nwhere `{}` is the path of this folder.\n", title),
                     is_published ? title : "PUBLISHER/" + title);
}

std::string body(const Checkpoint& checkpoint, const WriterInput& input) {
  const std::string& title = input.title.empty() ? checkpoint.name : input.title;
  std::string out = fmt::format("\n# {}\n\nThis model was converted to the MLX format from {}\nwith hf2mlx {}.\n{}\n", title,
                                origin(checkpoint), HF2MLX_VERSION, weights_text(input));
  if (!input.options.command_line.empty()) out += fmt::format("\n{}", code_block("bash", input.options.command_line));
  const std::string license = license_file(checkpoint);
  if (!license.empty()) out += fmt::format("\nThe licence is in [{0}]({0}).\n", license);
  return fmt::format("{}\n{}", out, usage(title));
}

}  // namespace

std::string model_card(const Checkpoint& checkpoint, const WriterInput& input, std::string_view source_card,
                       std::vector<std::string>& notes) {
  const std::string metadata = metadata_of(checkpoint, input, source_card, notes);
  return fmt::format("---\n{}---\n{}", metadata, body(checkpoint, input));
}

}  // namespace hf2mlx
