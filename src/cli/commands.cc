// See commands.h.
#include "cli/commands.h"

#include <CLI/CLI.hpp>  // with what CLI/App.hpp only declares
#include <algorithm>

namespace hf2mlx::cli {
namespace {

constexpr CommandEntry kCommands[] = {
    {"convert", "make an MLX model folder of a Hugging Face model", make_convert},
    {"plan", "say what convert would write, tensor by tensor, and write nothing", make_plan},
    {"download", "download a model of the Hugging Face hub, as far as a conversion needs it", make_download},
    {"upload", "upload a model folder to the Hugging Face hub", make_upload},
    {"inspect", "describe a model: architecture, parameters, size at each quantization", make_inspect},
    {"verify", "say whether a model folder is complete and will load", make_verify},
    {"where", "print the path of a model's MLX copy, or of its original", make_where},
    {"list", "list the models in the Hugging Face cache and in LM Studio", make_list},
    {"archs", "list the architectures that can be converted", make_archs},
    {"completion", "print a completion script for bash, zsh or fish", make_completion},
};

}  // namespace

std::span<const CommandEntry> commands() { return kCommands; }

const CommandEntry* find_command(std::string_view name) {
  const auto at = std::find_if(std::begin(kCommands), std::end(kCommands), [&](const CommandEntry& entry) { return name == entry.name; });
  return at == std::end(kCommands) ? nullptr : at;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const CommandEntry& entry : kCommands) names.emplace_back(entry.name);
  return names;
}

DeclaredCommand::DeclaredCommand(const CommandEntry& command_entry)
    : entry(command_entry), app(std::make_unique<CLI::App>(command_entry.summary, command_entry.name)) {
  app->set_help_flag("-h,--help", "show this help");
  command = entry.make(*app);
  app->get_help_ptr()->group("Output");
}

}  // namespace hf2mlx::cli
