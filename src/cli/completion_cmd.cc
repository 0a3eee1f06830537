// hf2mlx completion.
#include <fmt/format.h>

#include <ostream>

#include "cli/commands.h"
#include "cli/completion.h"
#include "request/options.h"

namespace hf2mlx::cli {
namespace {

constexpr const char* kFooter = R"(To switch it on:
  bash   hf2mlx completion bash > ~/.local/share/bash-completion/completions/hf2mlx
  zsh    hf2mlx completion zsh > "${fpath[1]}/_hf2mlx"
  fish   hf2mlx completion fish > ~/.config/fish/completions/hf2mlx.fish
)";

class CompletionCommand : public Command {
 public:
  explicit CompletionCommand(CLI::App& app) {
    add_choice(app, "SHELL", shell_, "bash|zsh|fish", "bash, zsh or fish")->group("Shell")->required();
    app.footer(kFooter);
  }

  void run(Context& context) override {
    context.console.out << (shell_ == "bash" ? bash_completion() : shell_ == "zsh" ? zsh_completion() : fish_completion());
  }

 private:
  std::string shell_;
};

}  // namespace

std::unique_ptr<Command> make_completion(CLI::App& app) { return std::make_unique<CompletionCommand>(app); }

}  // namespace hf2mlx::cli
