// hf2mlx list.
#include <ostream>

#include "cli/commands.h"
#include "cli/model_list.h"
#include "report/report_json.h"

namespace hf2mlx::cli {
namespace {

class ListCommand : public Command {
 public:
  explicit ListCommand(CLI::App& app) {
    declare_places(app, places_)->group("Model");
    app.add_flag("--json", json_, "print one JSON object")->group("Output");
  }

  void run(Context& context) override {
    const Listing listing = make_listing(context.environment.places, places_);
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
