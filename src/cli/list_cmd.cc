// hf2mlx list.
#include <ostream>

#include "cli/commands.h"
#include "cli/model_list.h"
#include "cli/report_json.h"
#include "writer/lm_studio.h"

namespace hf2mlx::cli {
namespace {

class ListCommand : public Command {
 public:
  explicit ListCommand(CLI::App& app) { app.add_flag("--json", json_, "print one JSON object")->group("Output"); }

  void run(Context& context) override {
    const ModelList cache = list_cached_models(context.environment.hub_cache);
    const ModelList lm_studio = list_lm_studio_models(lm_studio_models(context.environment.home));
    if (json_) return print_json(context.console.out, to_json(cache, lm_studio));
    print_list(context.console.out, cache, lm_studio);
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_list(CLI::App& app) { return std::make_unique<ListCommand>(app); }

}  // namespace hf2mlx::cli
