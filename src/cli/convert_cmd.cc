// hf2mlx convert and hf2mlx plan.
#include <fmt/format.h>

#include <ostream>

#include "cli/commands.h"
#include "cli/convert_options.h"
#include "cli/report_json.h"
#include "cli/report_text.h"
#include "cli/text.h"
#include "cli/upload_call.h"
#include "cli/variants.h"
#include "cli/watched_call.h"
#include "hf2mlx/convert.h"
#include "source/locate.h"

namespace hf2mlx::cli {
namespace {

class ConvertCommand : public Command {
 public:
  ConvertCommand(CLI::App& app, DryRun dry_run) {
    declare_convert(app, arguments_);
    arguments_.dry_run = dry_run == DryRun::kYes;
  }

  void run(Context& context) override {
    arguments_ = untangled(std::move(arguments_));
    ConvertOptions options = convert_options(arguments_, context.environment);
    options.command_line = with_tilde(context.command_line, context.environment.home.string());
    options.title = arguments_.upload_repo;
    const std::vector<std::string> idle = idle_options(arguments_);
    show_notes(context, idle);
    const std::vector<Variant> variants = wanted_variants(context, options);
    std::vector<Report> reports =
        arguments_.dry_run ? plan_with_progress(context, options, variants) : convert_with_progress(context, options, variants);
    for (Report& report : reports) report.notes.insert(report.notes.begin(), idle.begin(), idle.end());
    show(context, reports);
    if (uploads()) upload_result(context, reports.front());
  }

 private:
  bool uploads() const { return !arguments_.upload_repo.empty() && !arguments_.dry_run; }

  // The model is there, whatever becomes of this.
  void upload_result(const Context& context, const Report& report) const {
    const UploadOptions options{report.output, arguments_.upload_repo, "", hub_options(context.environment)};
    const Quiet quiet = arguments_.quiet ? Quiet::kYes : Quiet::kNo;
    try {
      const UploadReport uploaded = upload_watched(context, options, quiet);
      if (arguments_.json) return print_with_upload(context, report, uploaded);
      if (!arguments_.quiet) context.console.out << '\n' << uploaded.url << '\n';
    } catch (const Error& error) {
      throw Error(error.code(), error.what(),
                  fmt::format("{}{}the model is complete; hf2mlx upload {} {} goes on", error.hint(), error.hint().empty() ? "" : "; ",
                              shell_quote(report.output.string()), shell_quote(arguments_.upload_repo)));
    }
  }

  static void print_with_upload(const Context& context, const Report& report, const UploadReport& uploaded) {
    Json json = to_json(report, DryRun::kNo);
    json["upload"] = to_json(uploaded);
    print_json(context.console.out, json);
  }

  std::vector<Variant> wanted_variants(const Context& context, const ConvertOptions& options) const {
    if (!arguments_.lm_studio) return variants_of(arguments_, options);
    const Location model = location_of(options.source);
    return lm_studio_variants(arguments_, options, context.environment, model.organisation, model.name);
  }

  // A model of the hub need not be here yet.
  static Location location_of(const SourceOptions& source) {
    const auto repo = repo_of_model(source);
    return repo && !source.hub.offline ? unlocated(*repo) : locate_model(source);
  }

  // A plan takes no time, but for a target whose layers are measured first.
  std::vector<Report> plan_with_progress(const Context& context, ConvertOptions options, const std::vector<Variant>& variants) {
    std::vector<Report> reports;
    const Quiet quiet = arguments_.quiet || !options.quant.budget.wanted() ? Quiet::kYes : Quiet::kNo;
    watched_call(context, quiet, notes_, [&](Progress& progress, const CancelToken& cancel) {
      for (const Variant& variant : variants) {
        options.quant = variant.quant;
        options.output = variant.output;
        reports.push_back(plan(options, &progress, &cancel));
      }
    });
    return reports;
  }

  void show(Context& context, const std::vector<Report>& reports) {
    if (arguments_.json && uploads()) return;  // one object, when all is done
    if (arguments_.json) return show_json(context, reports);
    for (const Report& report : reports) {
      show_notes(context, report.notes);
      if (!arguments_.quiet) show(context.console.out, report);
      if (!arguments_.quiet && &report != &reports.back()) context.console.out << '\n';
    }
  }

  void show_json(const Context& context, const std::vector<Report>& reports) const {
    const DryRun dry_run = arguments_.dry_run ? DryRun::kYes : DryRun::kNo;
    if (!asks_for_variants(arguments_)) return print_json(context.console.out, to_json(reports.front(), dry_run));
    Json list = Json::array();
    for (const Report& report : reports) list.push_back(to_json(report, dry_run));
    print_json(context.console.out, {{"variants", list}});
  }

  void show(std::ostream& out, const Report& report) const {
    if (arguments_.dry_run) return print_plan(out, report);
    if (arguments_.lm_studio) return print_lm_studio_summary(out, report);
    print_summary(out, report);
  }

  std::vector<Report> convert_with_progress(const Context& context, const ConvertOptions& options, const std::vector<Variant>& variants) {
    std::vector<Report> reports;
    watched_call(context, arguments_.quiet ? Quiet::kYes : Quiet::kNo, notes_,
                 [&](Progress& progress, const CancelToken& cancel) { reports = convert_variants(options, variants, &progress, &cancel); });
    return reports;
  }

  void show_notes(const Context& context, const std::vector<std::string>& notes) {
    if (!arguments_.quiet) notes_.show(context, notes);
  }

  ConvertArguments arguments_;
  Notes notes_;
};

}  // namespace

std::unique_ptr<Command> make_convert(CLI::App& app) { return std::make_unique<ConvertCommand>(app, DryRun::kNo); }
std::unique_ptr<Command> make_plan(CLI::App& app) { return std::make_unique<ConvertCommand>(app, DryRun::kYes); }

}  // namespace hf2mlx::cli
