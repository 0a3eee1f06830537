// hf2mlx inspect.
#include <ostream>

#include "cli/commands.h"
#include "cli/report_text.h"
#include "hf2mlx/convert.h"
#include "report/report_json.h"
#include "request/options.h"

namespace hf2mlx::cli {
namespace {

class InspectCommand : public Command {
 public:
  explicit InspectCommand(CLI::App& app) {
    declare_source(app, source_);
    app.add_flag("--tensors", tensors_, "list every tensor")->group("Output");
    app.add_flag("--json", json_, "print one JSON object, tensors included")->group("Output");
  }

  void run(Context& context) override {
    const Inspection inspection = inspect(source_options(source_, context.environment.places));
    if (json_) return print_json(context.console.out, to_json(inspection));
    print_inspection(context.console.out, inspection, tensors_ ? Tensors::kList : Tensors::kCount);
    for (const std::string& note : inspection.notes) context.console.note(note);
  }

 private:
  SourceArguments source_;
  bool tensors_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_inspect(CLI::App& app) { return std::make_unique<InspectCommand>(app); }

}  // namespace hf2mlx::cli
