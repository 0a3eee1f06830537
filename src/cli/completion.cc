// See completion.h.
#include "cli/completion.h"

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "cli/commands.h"
#include "request/options.h"
#include "request/text.h"

namespace hf2mlx::cli {
namespace {

struct CommandView {
  std::string name;
  std::string summary;
  std::vector<OptionView> options;
};

std::vector<CommandView> command_views() {
  std::vector<CommandView> views;
  for (const CommandEntry& entry : commands()) views.push_back({entry.name, entry.summary, options_of(*DeclaredCommand(entry).app)});
  return views;
}

bool takes_path(const OptionView& option) { return option.value == "MODEL" || option.value == "OUT" || option.value == "FOLDER"; }

// What may stand where a command's positional argument does: its choices, or a folder.
const OptionView* first_positional(const CommandView& command) {
  for (const OptionView& option : command.options) {
    if (!option.positional.empty()) return &option;
  }
  return nullptr;
}

// Inside single quotes, in all three shells when what is escaped is what is listed.
std::string escaped(const std::string& text, std::string_view special) {
  std::string result;
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
      continue;
    }
    if (special.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::vector<std::string> all_names(const CommandView& command) {
  std::vector<std::string> names;
  for (const OptionView& option : command.options) names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

std::string bash_values(const OptionView& option) {
  if (!option.choices.empty()) return fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$cur\"))", join(option.choices, " "));
  return takes_path(option) ? "compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- \"$cur\"))" : "COMPREPLY=()";
}

std::string bash_command(const CommandView& command) {
  std::string text = fmt::format("    {})\n      case \"$prev\" in\n", command.name);
  for (const OptionView& option : command.options) {
    if (option.value.empty() || option.value_is_optional || option.names.empty()) continue;
    text += fmt::format("        {}) {}; return ;;\n", join(option.names, "|"), bash_values(option));
  }
  text += "      esac\n";
  text += fmt::format("      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W '{}' -- \"$cur\")); return; fi\n",
                      join(all_names(command), " "));
  if (const OptionView* positional = first_positional(command)) text += "      " + bash_values(*positional) + "\n";
  return text + "      ;;\n";
}

std::string zsh_values(const OptionView& option) {
  if (!option.choices.empty()) return fmt::format("({})", join(option.choices, " "));
  return takes_path(option) ? "_files -/" : " ";
}

// '(-q --quantize)'{-q,--quantize}'[help]:VALUE:action'
std::string zsh_option(const OptionView& option) {
  const std::string help = escaped(option.help, "[]:\\");
  std::string text = option.names.size() == 1 || option.repeatable ? "" : fmt::format("'({})'", join(option.names, " "));
  text += option.repeatable ? "'*'" : "";
  text += option.names.size() == 1 ? option.names[0] : fmt::format("{{{}}}", join(option.names, ","));
  text += fmt::format("'[{}]", help);
  if (!option.value.empty()) {
    text += fmt::format("{}{}:{}", option.value_is_optional ? "::" : ":", escaped(option.choices.empty() ? option.value : "value", "[]:\\"),
                        zsh_values(option));
  }
  return text + "'";
}

std::string zsh_command(const CommandView& command) {
  std::string text = fmt::format("    {})\n      _arguments -s", command.name);
  for (const OptionView& option : command.options) {
    if (!option.names.empty()) text += " \\\n        " + zsh_option(option);
  }
  for (const OptionView& option : command.options) {
    if (!option.positional.empty()) text += fmt::format(" \\\n        ':{}:{}'", option.positional, zsh_values(option));
  }
  return text + "\n      ;;\n";
}

std::string fish_option(const CommandView& command, const OptionView& option) {
  std::string text = fmt::format("complete -c hf2mlx -n '__hf2mlx_command {}'", command.name);
  for (const std::string& name : option.names) text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (!option.choices.empty()) {
    text += fmt::format(" -x -a '{}'", join(option.choices, " "));
  } else if (!option.value.empty() && !option.value_is_optional) {
    text += takes_path(option) ? " -x -a '(__fish_complete_directories)'" : " -x";
  }
  return fmt::format("{} -d '{}'\n", text, escaped(option.help, "\\"));
}

std::string fish_positional(const CommandView& command) {
  const OptionView* positional = first_positional(command);
  if (!positional) return "";
  const std::string values = positional->choices.empty() ? "(__fish_complete_directories)" : join(positional->choices, " ");
  return fmt::format("complete -c hf2mlx -n '__hf2mlx_command {}' -a '{}'\n", command.name, values);
}

}  // namespace

std::string bash_completion() {
  std::string text = R"(# bash completion for hf2mlx; generated by: hf2mlx completion bash
_hf2mlx() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if (( COMP_CWORD == 1 )) && [[ $cur != -* ]]; then
)";
  text += fmt::format("    COMPREPLY=($(compgen -W '{}' -- \"$cur\")); return\n  fi\n", join(command_names(), " "));
  text += "  [[ $command == -* ]] && command=convert\n  case \"$command\" in\n";
  for (const CommandView& command : command_views()) text += bash_command(command);
  return text + "  esac\n}\ncomplete -F _hf2mlx hf2mlx\n";
}

std::string zsh_completion() {
  std::string text =
      "#compdef hf2mlx\n# zsh completion for hf2mlx; generated by: hf2mlx completion zsh\n_hf2mlx() {\n  local -a commands=(\n";
  const std::vector<CommandView> views = command_views();
  for (const CommandView& command : views) text += fmt::format("    '{}:{}'\n", command.name, escaped(command.summary, ":\\"));
  text += R"(  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    return
  fi
  local command=convert
  if [[ $words[2] != -* ]]; then
    command=$words[2]
    shift words
    (( CURRENT-- ))
  fi
  case $command in
)";
  for (const CommandView& command : views) text += zsh_command(command);
  // Works both as an autoloaded function and when the file is sourced.
  return text + "  esac\n}\nif [[ $funcstack[1] == _hf2mlx ]]; then _hf2mlx \"$@\"; else compdef _hf2mlx hf2mlx; fi\n";
}

std::string fish_completion() {
  std::string text = R"(# fish completion for hf2mlx; generated by: hf2mlx completion fish
function __hf2mlx_command
    set -l words (commandline -opc) (commandline -ct)
    set -l command $words[2]
    string match -q -- '-*' "$command"; and set command convert
    test "$command" = "$argv[1]"
end
complete -c hf2mlx -f
)";
  for (const CommandView& command : command_views()) {
    text += fmt::format("complete -c hf2mlx -n '__fish_is_first_arg' -a {} -d '{}'\n", command.name, escaped(command.summary, "\\"));
    for (const OptionView& option : command.options) {
      if (!option.names.empty()) text += fish_option(command, option);
    }
    text += fish_positional(command);
  }
  return text;
}

}  // namespace hf2mlx::cli
