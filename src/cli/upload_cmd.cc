// hf2mlx upload.
#include <fmt/format.h>

#include <ostream>

#include "cli/commands.h"
#include "cli/upload_call.h"
#include "cli/watched_call.h"
#include "hf2mlx/verify.h"
#include "report/report_json.h"
#include "request/options.h"

namespace hf2mlx::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  hf2mlx upload mlx_model me/Qwen3-8B-MLX-4bit
  hf2mlx convert Qwen/Qwen3-8B -q --upload-repo me/Qwen3-8B-MLX-4bit     both at once
)";

class UploadCommand : public Command {
 public:
  explicit UploadCommand(CLI::App& app) {
    add_value(app, "FOLDER", folder_, "FOLDER", "a model folder")->group("Model");
    add_value(app, "REPO", repo_, "REPO", "org/name on the hub; made where it is not there")->group("Model");
    add_value(app, "--message", message_, "TEXT", "of the commit")->group("Model");
    app.add_flag("--force", force_, "also where hf2mlx verify finds errors in FOLDER")->group("Model");
    app.add_flag("--json", json_, "print one JSON object")->group("Output");
    app.add_flag("--quiet", quiet_, "print nothing but the address, and errors")->group("Output");
    app.footer(kExamples);
  }

  void run(Context& context) override {
    if (folder_.empty() || repo_.empty()) throw Error(ErrorCode::kUsage, "expected FOLDER and REPO", "hf2mlx upload mlx_model org/name");
    if (!force_) refuse_errors(context);
    const UploadOptions options{folder_, repo_, message_, hub_options(context.environment.places)};
    const UploadReport report = upload_watched(context, options, quiet_ ? Quiet::kYes : Quiet::kNo);
    if (json_) return print_json(context.console.out, to_json(report));
    context.console.out << report.url << '\n';
  }

 private:
  // What no program loads is better not published.
  void refuse_errors(const Context& context) {
    VerifyOptions options;
    options.folder.model = std::filesystem::absolute(folder_).string();
    Notes notes;
    Verification verification;
    watched_call(context, quiet_ ? Quiet::kYes : Quiet::kNo, notes,
                 [&](Progress& progress, const CancelToken& cancel) { verification = verify(options, &progress, &cancel); });
    if (verification.worst() != Severity::kError) return;
    const Finding& first = verification.findings.front();
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: {}: {}", folder_, first.place, first.reason),
                fmt::format("{}; hf2mlx verify tells all, --force uploads all the same", first.remedy));
  }

  std::string folder_;
  std::string repo_;
  std::string message_;
  bool force_ = false;
  bool json_ = false;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_upload(CLI::App& app) { return std::make_unique<UploadCommand>(app); }

}  // namespace hf2mlx::cli
