// See help.h.
#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/columns.h"
#include "hf2mlx/convert.h"
#include "request/options.h"
#include "request/text.h"

namespace hf2mlx::cli {
namespace {

constexpr size_t kWidth = 96;
constexpr size_t kTextColumn = 30;

constexpr const char* kExamples = R"(
Examples:
  hf2mlx                                             choose a cached model on the screen
  hf2mlx list                                        what is in the Hugging Face cache
  hf2mlx convert Qwen/Qwen3-8B -q                    4 bits a weight, written to ./mlx_model
  hf2mlx convert Qwen/Qwen3-8B -q --lm-studio        the same, where LM Studio finds it
  hf2mlx download Qwen/Qwen3-8B                      the original alone, into the Hugging Face cache
  hf2mlx plan ~/models/mine -q --q-bits 6            how large would it be?

"hf2mlx COMMAND --help" explains a command. Options without a command mean convert, so the
options of mlx_lm.convert work as they are: hf2mlx --hf-path Qwen/Qwen3-8B --mlx-path out -q
)";

std::string names_of(const OptionView& option) {
  std::string text = option.positional;
  for (const std::string& name : option.names) text += (text.empty() ? "" : ", ") + name;
  if (option.value.empty() || !option.positional.empty()) return text;
  return text + ' ' + (option.value_is_optional ? '[' + option.value + ']' : option.value);
}

std::string described(const std::string& names, const std::string& help) {
  std::string text = "  " + names;
  bool first = display_width(text) + 2 <= kTextColumn;
  if (!first) text += '\n';
  for (const std::string& line : wrap(help, kWidth - kTextColumn)) {
    const size_t column = first ? display_width(text) : 0;
    text += std::string(kTextColumn - column, ' ') + line + '\n';
    first = false;
  }
  return text;
}

std::vector<std::string> groups_of(const std::vector<OptionView>& options) {
  std::vector<std::string> groups;
  for (const OptionView& option : options) {
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) groups.push_back(option.group);
  }
  // The help option is declared first and belongs last.
  std::stable_partition(groups.begin(), groups.end(), [](const std::string& group) { return group != "Output"; });
  return groups;
}

}  // namespace

std::string general_help() {
  std::string text =
      fmt::format("hf2mlx {}: makes Apple MLX models of Hugging Face models\n\nUsage: hf2mlx COMMAND [OPTIONS]\n\nCommands:\n", version());
  for (const CommandEntry& entry : commands()) text += fmt::format("  {:<12}{}\n", entry.name, entry.summary);
  return text + kExamples;
}

std::string usage_line(const DeclaredCommand& declared) {
  std::string text = fmt::format("hf2mlx {}", declared.entry.name);
  for (const OptionView& option : options_of(*declared.app)) {
    if (option.positional.empty()) continue;
    text += option.positional == "OUT" ? " [OUT]" : " " + option.positional;
  }
  return text + " [OPTIONS]";
}

std::string command_help(const DeclaredCommand& declared) {
  const std::vector<OptionView> options = options_of(*declared.app);
  std::string text = fmt::format("hf2mlx {}: {}\n\nUsage: {}\n", declared.entry.name, declared.entry.summary, usage_line(declared));
  for (const std::string& group : groups_of(options)) {
    text += fmt::format("\n{}:\n", group);
    for (const OptionView& option : options) {
      if (option.group == group)
        text += described(names_of(option), option.help + (option.repeatable ? "; may be given several times" : ""));
    }
  }
  if (const std::string footer = declared.app->get_footer(); !footer.empty()) text += "\n" + footer;
  return text;
}

}  // namespace hf2mlx::cli
