// hf2mlx where.
#include <fmt/format.h>

#include <ostream>

#include "cli/commands.h"
#include "report/report_json.h"
#include "request/copies.h"

namespace hf2mlx::cli {
namespace {

constexpr const char* kFooter = R"~(Examples:
  mlx_lm.generate --model "$(hf2mlx where Qwen/Qwen3-8B)" --prompt Hello
  MODEL=$(hf2mlx where Qwen/Qwen3-8B --format hf) || MODEL=$(hf2mlx download Qwen/Qwen3-8B)
)~";

class WhereCommand : public Command {
 public:
  explicit WhereCommand(CLI::App& app) {
    declare_where(app, arguments_);
    app.add_flag("--json", json_, "print one JSON object")->group("Output");
    app.footer(kFooter);
  }

  void run(Context& context) override {
    std::vector<Copy> copies = find_copies(arguments_, context.environment.places);
    if (!arguments_.all && copies.size() > 1) {
      context.console.note(
          fmt::format("{} conversions are here, this is the latest of the newest revision; --all prints all", copies.size()));
      copies.resize(1);
    }
    if (json_) return print_json(context.console.out, to_json(copies));
    for (const Copy& copy : copies) context.console.out << copy.path.string() << '\n';
  }

 private:
  WhereArguments arguments_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_where(CLI::App& app) { return std::make_unique<WhereCommand>(app); }

}  // namespace hf2mlx::cli
