// hf2mlx download.
#include <fmt/format.h>

#include <ostream>

#include "cli/commands.h"
#include "cli/table.h"
#include "cli/watched_call.h"
#include "hf2mlx/download.h"
#include "report/report_json.h"
#include "request/download_request.h"
#include "request/text.h"

namespace hf2mlx::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  hf2mlx download Qwen/Qwen3-8B                        into the cache: what a conversion needs
  hf2mlx download Qwen/Qwen3-8B --local-dir Qwen3-8B   plain files in a folder
  hf2mlx download Qwen/Qwen3-8B --include '*'          every file
  hf2mlx download Qwen/Qwen3-8B --include '*.json' --dry-run
)";

class DownloadCommand : public Command {
 public:
  explicit DownloadCommand(CLI::App& app) {
    declare_download(app, arguments_);
    app.add_flag("--json", json_, "print one JSON object")->group("Output");
    app.add_flag("--quiet", quiet_, "print nothing but the folder, and errors")->group("Output");
    app.footer(kExamples);
  }

  void run(Context& context) override {
    const DownloadOptions options = download_options(arguments_, context.environment.places);
    Notes notes;
    DownloadReport report;
    watched_call(context, quiet_ ? Quiet::kYes : Quiet::kNo, notes,
                 [&](Progress& progress, const CancelToken& cancel) { report = download(options, &progress, &cancel); });
    show(context, report);
  }

 private:
  void show(const Context& context, const DownloadReport& report) const {
    std::ostream& out = context.console.out;
    if (json_) return print_json(out, to_json(report, arguments_.dry_run ? DryRun::kYes : DryRun::kNo));
    if (arguments_.dry_run) return print_files(out, report);
    if (!quiet_) context.console.err << summary(report) << '\n';
    out << report.folder.string() << '\n';  // alone, for scripts
  }

  static std::string summary(const DownloadReport& report) {
    const std::string all = fmt::format("{}: {} files, {}", report.repo_id, report.files.size(), format_bytes(report.total_bytes));
    if (report.received_bytes == 0) return all + ", complete";
    return fmt::format("{}, {} downloaded in {}", all, format_bytes(report.received_bytes), format_duration(report.seconds));
  }

  static void print_files(std::ostream& out, const DownloadReport& report) {
    Table table({{"FILE"}, {"BYTES", Align::kRight}, {""}});
    for (const DownloadedFile& file : report.files) {
      table.add({file.path, std::to_string(file.size_bytes), file.was_there ? "is there" : "to download"});
    }
    table.print(out);
    out << fmt::format("\n{} at {}: {} files, {}, {} to download\n", report.repo_id, report.commit, report.files.size(),
                       format_bytes(report.total_bytes), format_bytes(report.received_bytes));
  }

  DownloadArguments arguments_;
  bool json_ = false;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_download(CLI::App& app) { return std::make_unique<DownloadCommand>(app); }

}  // namespace hf2mlx::cli
