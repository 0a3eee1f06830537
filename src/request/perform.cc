// See perform.h.
#include "request/perform.h"

#include <CLI/CLI.hpp>  // with what CLI/App.hpp only declares

#include "hf2mlx/convert.h"
#include "report/report_json.h"
#include "request/convert_request.h"
#include "request/copies.h"
#include "request/download_request.h"
#include "request/json_options.h"
#include "request/listing.h"
#include "request/options.h"
#include "request/text.h"
#include "request/upload_request.h"
#include "request/verify_request.h"

namespace hf2mlx {
namespace {

// What a call is given.
struct Asked {
  const char* command;
  Json options;
  Places places;
  Progress* progress;
  const CancelToken* cancel;
};

Variables variables_of(const Json& environment) {
  const char* const expected = "\"environment\": an object of texts expected, such as {\"HF_HOME\": \"/data/huggingface\"}";
  if (!environment.is_object()) throw Error(ErrorCode::kUsage, expected);
  Variables variables;
  for (const auto& [name, value] : environment.items()) {
    if (!value.is_string()) throw Error(ErrorCode::kUsage, expected);
    variables[name] = value.get<std::string>();
  }
  return variables;
}

Json parse_text(std::string_view text) {
  if (text.empty()) return Json::object();
  try {
    Json options = parse_json(text, "options");
    if (!options.is_object()) throw Error(ErrorCode::kUsage, "options: a JSON object expected");
    return options;
  } catch (const Error& error) {
    throw Error(ErrorCode::kUsage, error.what(), error.hint());
  }
}

Asked asked(const char* command, std::string_view text, Progress* progress, const CancelToken* cancel) {
  Asked asked{command, parse_text(text), {}, progress, cancel};
  if (const auto environment = asked.options.find("environment"); environment != asked.options.end()) {
    if (!environment->is_null()) asked.places = places_of(variables_of(*environment));
    asked.options.erase(environment);
  }
  return asked;
}

// Fills what `app` declares. The command line that says the same.
std::string parse_options(CLI::App& app, const Asked& asked) {
  const std::vector<std::string> words = words_of(asked.options, app);
  try {
    parse_words(app, words);
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorCode::kUsage, what_is_wrong(error));
  }
  std::vector<std::string> line = {"hf2mlx", asked.command};
  for (const std::string& word : words) line.push_back(shell_quote(word));
  return join(line, " ");
}

// For what cannot be done without the hub.
void need_hub(const Asked& asked) {
  if (!asked.places.hub.endpoint.empty()) return;
  throw Error(ErrorCode::kUsage, "\"environment\": missing, it says where the hub and the cache are",
              "hand over the variables of the process; {\"HOME\": \"/home/me\"} is the least");
}

Json convert_or_plan(const Asked& asked, DryRun dry_run) {
  CLI::App app;
  ConvertArguments arguments;
  declare_convert(app, arguments);
  const std::string command_line = parse_options(app, asked);
  if (dry_run == DryRun::kYes) arguments.dry_run = true;
  const ConvertRequest request = convert_request(std::move(arguments), asked.places, command_line);
  if (uploads(request)) need_hub(asked);
  const std::vector<Report> reports = run(request, asked.progress, asked.cancel);
  Json json = to_json(request, reports);
  if (uploads(request)) json["upload"] = to_json(upload_result(request, reports.front(), asked.progress, asked.cancel));
  return json;
}

Json inspect_one(const Asked& asked) {
  CLI::App app;
  SourceArguments arguments;
  declare_source(app, arguments);
  parse_options(app, asked);
  return to_json(inspect(source_options(arguments, asked.places)));
}

Json download_one(const Asked& asked) {
  CLI::App app;
  DownloadArguments arguments;
  declare_download(app, arguments);
  parse_options(app, asked);
  need_hub(asked);
  return to_json(download(download_options(arguments, asked.places), asked.progress, asked.cancel),
                 arguments.dry_run ? DryRun::kYes : DryRun::kNo);
}

Json upload_one(const Asked& asked) {
  CLI::App app;
  UploadArguments arguments;
  declare_upload(app, arguments);
  parse_options(app, asked);
  need_hub(asked);
  return to_json(run(arguments, upload_options(arguments, asked.places), asked.progress, asked.cancel));
}

Json verify_one(const Asked& asked) {
  CLI::App app;
  VerifyArguments arguments;
  declare_verify(app, arguments);
  parse_options(app, asked);
  return to_json(verify(verify_options(arguments, asked.places), asked.progress, asked.cancel));
}

Json where_is(const Asked& asked) {
  CLI::App app;
  WhereArguments arguments;
  declare_where(app, arguments);
  parse_options(app, asked);
  std::vector<Copy> copies = find_copies(arguments, asked.places);
  if (!arguments.all) copies.resize(1);
  return to_json(copies);
}

Json list_all(const Asked& asked) {
  CLI::App app;
  std::vector<std::string> more;
  declare_places(app, more);
  parse_options(app, asked);
  return to_json(make_listing(asked.places, more));
}

Json archs_all(const Asked& asked) {
  CLI::App app;
  parse_options(app, asked);
  return to_json(architectures());
}

}  // namespace

Json perform(Call call, std::string_view options, Progress* progress, const CancelToken* cancel) {
  switch (call) {
    case Call::kConvert:
      return convert_or_plan(asked("convert", options, progress, cancel), DryRun::kNo);
    case Call::kPlan:
      return convert_or_plan(asked("plan", options, progress, cancel), DryRun::kYes);
    case Call::kInspect:
      return inspect_one(asked("inspect", options, progress, cancel));
    case Call::kDownload:
      return download_one(asked("download", options, progress, cancel));
    case Call::kUpload:
      return upload_one(asked("upload", options, progress, cancel));
    case Call::kVerify:
      return verify_one(asked("verify", options, progress, cancel));
    case Call::kWhere:
      return where_is(asked("where", options, progress, cancel));
    case Call::kList:
      return list_all(asked("list", options, progress, cancel));
    case Call::kArchs:
      break;
  }
  return archs_all(asked("archs", options, progress, cancel));
}

}  // namespace hf2mlx
