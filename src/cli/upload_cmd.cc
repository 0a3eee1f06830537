// hf2mlx upload.
#include <ostream>

#include "cli/commands.h"
#include "cli/upload_call.h"
#include "report/report_json.h"
#include "request/upload_request.h"

namespace hf2mlx::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  hf2mlx upload mlx_model me/Qwen3-8B-MLX-4bit
  hf2mlx convert Qwen/Qwen3-8B -q --upload-repo me/Qwen3-8B-MLX-4bit     both at once
)";

class UploadCommand : public Command {
 public:
  explicit UploadCommand(CLI::App& app) {
    declare_upload(app, arguments_);
    app.add_flag("--json", json_, "print one JSON object")->group("Output");
    app.add_flag("--quiet", quiet_, "print nothing but the address, and errors")->group("Output");
    app.footer(kExamples);
  }

  void run(Context& context) override {
    const UploadOptions options = upload_options(arguments_, context.environment.places);
    const UploadReport report =
        upload_watched(context, quiet_ ? Quiet::kYes : Quiet::kNo,
                       [&](Progress& progress, const CancelToken& cancel) { return hf2mlx::run(arguments_, options, &progress, &cancel); });
    if (json_) return print_json(context.console.out, to_json(report));
    context.console.out << report.url << '\n';
  }

 private:
  UploadArguments arguments_;
  bool json_ = false;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_upload(CLI::App& app) { return std::make_unique<UploadCommand>(app); }

}  // namespace hf2mlx::cli
