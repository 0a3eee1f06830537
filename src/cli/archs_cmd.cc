// hf2mlx archs.
#include <fmt/format.h>

#include <ostream>

#include "cli/commands.h"
#include "cli/table.h"
#include "hf2mlx/convert.h"
#include "report/report_json.h"
#include "request/text.h"

namespace hf2mlx::cli {
namespace {

// The name itself is one of the model types nearly always; only the others are news.
std::string other_model_types(const ArchInfo& arch) {
  std::vector<std::string> others;
  for (const std::string& type : arch.model_types) {
    if (type != arch.name) others.push_back(type);
  }
  return join(others, ", ");
}

class ArchsCommand : public Command {
 public:
  explicit ArchsCommand(CLI::App& app) { app.add_flag("--json", json_, "print one JSON object")->group("Output"); }

  void run(Context& context) override {
    const std::vector<ArchInfo> known = architectures();
    if (json_) return print_json(context.console.out, to_json(known));
    Table table({{"ARCHITECTURE"}, {"ALSO READS"}, {"SUMMARY"}});
    for (const ArchInfo& arch : known) table.add({arch.name, other_model_types(arch), arch.summary});
    table.print(context.console.out);
    context.console.out << fmt::format("\n{} architectures\n", known.size());
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_archs(CLI::App& app) { return std::make_unique<ArchsCommand>(app); }

}  // namespace hf2mlx::cli
