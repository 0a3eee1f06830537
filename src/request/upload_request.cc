// See upload_request.h.
#include "request/upload_request.h"

#include <fmt/format.h>

#include "base/json.h"
#include "hf2mlx/verify.h"
#include "hub/uploader.h"
#include "request/options.h"
#include "request/text.h"
#include "writer/manifest.h"

namespace hf2mlx {
namespace {

void refuse_errors(const std::string& folder, const Verification& verification) {
  if (verification.worst() != Severity::kError) return;
  const Finding& first = verification.findings.front();
  throw Error(ErrorCode::kCorrupt, fmt::format("{}: {}: {}", folder, first.place, first.reason),
              fmt::format("{}; hf2mlx verify tells all, --force uploads all the same", first.remedy));
}

// Of files that the conversion has just written; it hashed them meanwhile.
std::map<std::string, std::string> written_digests(const std::filesystem::path& folder) {
  std::map<std::string, std::string> digests;
  for (const auto& [path, file] : recorded_files(read_json_file(folder / kManifestFile))) {
    if (!file.sha256.empty()) digests[path] = file.sha256;
  }
  return digests;
}

// What the conversion's own options tell of the upload. `folder` is there later.
UploadOptions options_of_upload(const ConvertRequest& request, const std::filesystem::path& folder) {
  UploadOptions options;
  options.folder = folder;
  options.repo = request.arguments.upload_repo;
  options.hub = request.options.source.hub;
  return options;
}

}  // namespace

void declare_upload(CLI::App& app, UploadArguments& arguments) {
  add_value(app, "FOLDER", arguments.folder, "FOLDER", "a model folder")->group("Model");
  add_value(app, "REPO", arguments.repo, "REPO", "org/name on the hub; made where it is not there")->group("Model");
  add_value(app, "--message", arguments.message, "TEXT", "of the commit")->group("Model");
  app.add_flag("--force", arguments.force, "also where hf2mlx verify finds errors in FOLDER")->group("Model");
}

UploadOptions upload_options(const UploadArguments& arguments, const Places& places) {
  if (arguments.folder.empty() || arguments.repo.empty()) {
    throw Error(ErrorCode::kUsage, "expected FOLDER and REPO", "hf2mlx upload mlx_model org/name");
  }
  UploadOptions options;
  options.folder = arguments.folder;
  options.repo = arguments.repo;
  options.message = arguments.message;
  options.hub = hub_options(places);
  return options;
}

UploadReport run(const UploadArguments& arguments, UploadOptions options, Progress* progress, const CancelToken* cancel) {
  if (!arguments.force) {
    VerifyOptions verified;
    verified.folder.model = std::filesystem::absolute(options.folder).string();
    Verification verification = verify(verified, progress, cancel);
    refuse_errors(arguments.folder, verification);
    options.sha256 = std::move(verification.sha256);
  }
  return upload(options, progress, cancel);
}

bool uploads(const ConvertRequest& request) { return !request.arguments.upload_repo.empty() && !request.arguments.dry_run; }

void check_upload(const ConvertRequest& request) {
  if (uploads(request)) check_upload(options_of_upload(request, {}));
}

UploadReport upload_result(const ConvertRequest& request, const Report& report, Progress* progress, const CancelToken* cancel) {
  UploadOptions options = options_of_upload(request, report.output);
  options.sha256 = written_digests(report.output);
  try {
    return upload(options, progress, cancel);
  } catch (const Error& error) {
    throw Error(error.code(), error.what(),
                fmt::format("{}{}the model is complete; hf2mlx upload {} {} goes on", error.hint(), error.hint().empty() ? "" : "; ",
                            shell_quote(report.output.string()), shell_quote(options.repo)));
  }
}

}  // namespace hf2mlx
