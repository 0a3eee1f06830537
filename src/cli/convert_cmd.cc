// hf2mlx convert and hf2mlx plan.
#include <ostream>

#include "cli/commands.h"
#include "cli/report_text.h"
#include "cli/upload_call.h"
#include "cli/watched_call.h"
#include "hf2mlx/convert.h"
#include "report/report_json.h"
#include "request/convert_request.h"
#include "request/upload_request.h"

namespace hf2mlx::cli {
namespace {

class ConvertCommand : public Command {
 public:
  ConvertCommand(CLI::App& app, DryRun dry_run) {
    declare_convert(app, arguments_);
    arguments_.dry_run = dry_run == DryRun::kYes;
  }

  void run(Context& context) override {
    request_ = convert_request(std::move(arguments_), context.environment.places, context.command_line);
    show_notes(context, request_.idle);
    std::vector<Report> reports;
    watched_call(context, shows_progress() ? Quiet::kNo : Quiet::kYes, notes_,
                 [&](Progress& progress, const CancelToken& cancel) { reports = hf2mlx::run(request_, &progress, &cancel); });
    show(context, reports);
    if (uploads(request_)) upload_watched(context, reports.front());
  }

 private:
  void upload_watched(const Context& context, const Report& report) const {
    const UploadReport uploaded = cli::upload_watched(
        context, request_.arguments.quiet ? Quiet::kYes : Quiet::kNo,
        [&](Progress& progress, const CancelToken& cancel) { return upload_result(request_, report, &progress, &cancel); });
    if (request_.arguments.json) return print_with_upload(context, report, uploaded);
    if (!request_.arguments.quiet) context.console.out << '\n' << uploaded.url << '\n';
  }

  static void print_with_upload(const Context& context, const Report& report, const UploadReport& uploaded) {
    Json json = to_json(report, DryRun::kNo);
    json["upload"] = to_json(uploaded);
    print_json(context.console.out, json);
  }

  // A plan takes no time, but for a target whose layers are measured first.
  bool shows_progress() const {
    return !request_.arguments.quiet && (!request_.arguments.dry_run || request_.options.quant.budget.wanted());
  }

  void show(Context& context, const std::vector<Report>& reports) {
    if (request_.arguments.json && uploads(request_)) return;  // one object, when all is done
    if (request_.arguments.json) return print_json(context.console.out, to_json(request_, reports));
    for (const Report& report : reports) {
      show_notes(context, report.notes);
      if (!request_.arguments.quiet) show(context.console.out, report);
      if (!request_.arguments.quiet && &report != &reports.back()) context.console.out << '\n';
    }
  }

  void show(std::ostream& out, const Report& report) const {
    if (request_.arguments.dry_run) return print_plan(out, report);
    if (request_.arguments.lm_studio) return print_lm_studio_summary(out, report);
    print_summary(out, report);
  }

  void show_notes(const Context& context, const std::vector<std::string>& notes) {
    if (!request_.arguments.quiet) notes_.show(context, notes);
  }

  ConvertArguments arguments_;  // as declared; then a part of the request
  ConvertRequest request_;
  Notes notes_;
};

}  // namespace

std::unique_ptr<Command> make_convert(CLI::App& app) { return std::make_unique<ConvertCommand>(app, DryRun::kNo); }
std::unique_ptr<Command> make_plan(CLI::App& app) { return std::make_unique<ConvertCommand>(app, DryRun::kYes); }

}  // namespace hf2mlx::cli
