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
  explicit ListCommand(CLI::App& app) {
    declare_places(app, places_)->group("Model");
    app.add_flag("--json", json_, "print one JSON object")->group("Output");
  }

  void run(Context& context) override {
    const auto& cache_dir = context.environment.hub_cache;
    const auto lm_studio = lm_studio_models(context.environment.home);
    const Listing listing = {list_cached_models(cache_dir), list_lm_studio_models(lm_studio),
                             list_pairs(search_places(places_, lm_studio), cache_dir)};
    if (json_) return print_json(context.console.out, to_json(listing));
    print_list(context.console.out, listing);
  }

 private:
  std::vector<std::string> places_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_list(CLI::App& app) { return std::make_unique<ListCommand>(app); }

}  // namespace hf2mlx::cli
