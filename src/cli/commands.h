// The sub-commands: one table, from which parsing, help and completion follow.
#pragma once

#include <CLI/App.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/console.h"

namespace hf2mlx::cli {

// What one sub-command does with its options, which it has declared to a CLI::App and keeps.
class Command {
 public:
  virtual ~Command() = default;
  virtual void run(Context& context) = 0;  // throws Error
};

struct CommandEntry {
  const char* name;
  const char* summary;  // one line
  std::unique_ptr<Command> (*make)(CLI::App& app);
};

std::span<const CommandEntry> commands();
const CommandEntry* find_command(std::string_view name);
std::vector<std::string> command_names();

// A command with its options declared. The app outlives the command, which may point into it.
struct DeclaredCommand {
  explicit DeclaredCommand(const CommandEntry& command_entry);

  const CommandEntry& entry;
  std::unique_ptr<CLI::App> app;
  std::unique_ptr<Command> command;
};

std::unique_ptr<Command> make_convert(CLI::App& app);
std::unique_ptr<Command> make_plan(CLI::App& app);
std::unique_ptr<Command> make_download(CLI::App& app);
std::unique_ptr<Command> make_upload(CLI::App& app);
std::unique_ptr<Command> make_inspect(CLI::App& app);
std::unique_ptr<Command> make_verify(CLI::App& app);
std::unique_ptr<Command> make_where(CLI::App& app);
std::unique_ptr<Command> make_list(CLI::App& app);
std::unique_ptr<Command> make_archs(CLI::App& app);
std::unique_ptr<Command> make_completion(CLI::App& app);

}  // namespace hf2mlx::cli
