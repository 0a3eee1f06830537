// A conversion, or a plan of one, as it is asked for by name: what the program's commands and the C interface have in common.
#pragma once

#include <string>
#include <vector>

#include "hf2mlx/convert.h"
#include "report/report_json.h"
#include "request/convert_options.h"

namespace hf2mlx {

struct ConvertRequest {
  ConvertArguments arguments;  // untangled
  ConvertOptions options;
  std::vector<Variant> variants;  // what is to be made, and where
  std::vector<std::string> idle;  // notes about options that change nothing

  DryRun dry_run() const { return arguments.dry_run ? DryRun::kYes : DryRun::kNo; }
};

// Throws Error{kUsage} for options that contradict each other, and for --lm-studio what locate_model throws. `command_line` is for the
// model card.
ConvertRequest convert_request(ConvertArguments arguments, const Places& places, const std::string& command_line);

// A report for each variant; the notes about idle options are their first ones. With arguments.dry_run nothing is written.
std::vector<Report> run(const ConvertRequest& request, Progress* progress, const CancelToken* cancel);

// One report, or {"variants": [...]} where several models were asked for.
Json to_json(const ConvertRequest& request, const std::vector<Report>& reports);

}  // namespace hf2mlx
