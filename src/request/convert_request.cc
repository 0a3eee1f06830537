// See convert_request.h.
#include "request/convert_request.h"

#include "request/text.h"
#include "request/upload_request.h"
#include "request/variants.h"
#include "source/locate.h"

namespace hf2mlx {
namespace {

// A model of the hub need not be here yet.
Location location_of(const SourceOptions& source) {
  const auto repo = repo_of_model(source);
  return repo && !source.hub.offline ? unlocated(*repo) : locate_model(source);
}

std::vector<Variant> wanted_variants(const ConvertRequest& request, const Places& places) {
  if (!request.arguments.lm_studio) return variants_of(request.arguments, request.options);
  const Location model = location_of(request.options.source);
  return lm_studio_variants(request.arguments, request.options, places, model.organisation, model.name);
}

std::vector<Report> plan_each(const ConvertRequest& request, Progress* progress, const CancelToken* cancel) {
  std::vector<Report> reports;
  ConvertOptions options = request.options;
  for (const Variant& variant : request.variants) {
    options.quant = variant.quant;
    options.output = variant.output;
    reports.push_back(plan(options, progress, cancel));
  }
  return reports;
}

}  // namespace

ConvertRequest convert_request(ConvertArguments arguments, const Places& places, const std::string& command_line) {
  ConvertRequest request;
  request.arguments = untangled(std::move(arguments));
  request.options = convert_options(request.arguments, places);
  request.options.command_line = with_tilde(command_line, places.home.string());
  request.options.title = request.arguments.upload_repo;
  request.options.checksums |= uploads(request);  // which asks for them
  request.idle = idle_options(request.arguments);
  request.variants = wanted_variants(request, places);
  return request;
}

std::vector<Report> run(const ConvertRequest& request, Progress* progress, const CancelToken* cancel) {
  check_upload(request);
  std::vector<Report> reports = request.arguments.dry_run ? plan_each(request, progress, cancel)
                                                          : convert_variants(request.options, request.variants, progress, cancel);
  for (Report& report : reports) report.notes.insert(report.notes.begin(), request.idle.begin(), request.idle.end());
  return reports;
}

Json to_json(const ConvertRequest& request, const std::vector<Report>& reports) {
  if (!asks_for_variants(request.arguments)) return to_json(reports.front(), request.dry_run());
  Json list = Json::array();
  for (const Report& report : reports) list.push_back(to_json(report, request.dry_run()));
  return {{"variants", list}};
}

}  // namespace hf2mlx
