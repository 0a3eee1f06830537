// hf2mlx verify.
#include <fmt/format.h>

#include <fstream>
#include <ostream>

#include "cli/commands.h"
#include "cli/error_page.h"
#include "cli/verification_text.h"
#include "cli/watched_call.h"
#include "hf2mlx/verify.h"
#include "report/report_json.h"
#include "request/options.h"
#include "request/verify_request.h"

namespace hf2mlx::cli {
namespace {

// The exit status says how bad it is.
constexpr int kWarningStatus = 1;
constexpr int kErrorStatus = static_cast<int>(ErrorCode::kCorrupt);

int status_of(Severity worst) { return worst == Severity::kError ? kErrorStatus : worst == Severity::kWarning ? kWarningStatus : 0; }

class VerifyCommand : public Command {
 public:
  explicit VerifyCommand(CLI::App& app) {
    declare_verify(app, arguments_);
    add_value(app, "--html", html_, "FILE", "with --error: write it as a page with pictures, too")->group("Source");
    app.add_flag("--json", json_, "print one JSON object")->group("Output");
    app.add_flag("--quiet", quiet_, "print nothing: the exit status tells")->group("Output");
  }

  void run(Context& context) override {
    const VerifyOptions options = verify_options(arguments_, context.environment.places);
    if (!html_.empty() && !arguments_.error) throw Error(ErrorCode::kUsage, "--html shows what --error measures", "give --error, too");
    Verification verification;
    watched_call(context, quiet_ ? Quiet::kYes : Quiet::kNo, notes_,
                 [&](Progress& progress, const CancelToken& cancel) { verification = verify(options, &progress, &cancel); });
    if (json_) {
      print_json(context.console.out, to_json(verification));
    } else if (!quiet_) {
      print_verification(context.console.out, verification);
    }
    if (!html_.empty()) write_page(verification);
    context.exit_status = status_of(verification.worst());
  }

 private:
  // In the place of an older one.
  void write_page(const Verification& verification) const {
    std::ofstream file(html_, std::ios::binary | std::ios::trunc);
    file << error_page(verification);
    file.close();
    if (!file) throw Error(ErrorCode::kIo, fmt::format("--html: {} cannot be written", html_), "name a file in a folder that exists");
  }

  VerifyArguments arguments_;
  std::string html_;
  bool json_ = false;
  bool quiet_ = false;
  Notes notes_;
};

}  // namespace

std::unique_ptr<Command> make_verify(CLI::App& app) { return std::make_unique<VerifyCommand>(app); }

}  // namespace hf2mlx::cli
