// See upload_call.h.
#include "cli/upload_call.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>

#include "cli/watched_call.h"
#include "request/text.h"

namespace hf2mlx::cli {
namespace {

std::string summary(const UploadReport& report) {
  const std::string all = fmt::format("{}: {} files, {}", report.repo_id, report.files.size(), format_bytes(report.total_bytes));
  const bool was_all_there = std::all_of(report.files.begin(), report.files.end(), [](const UploadedFile& file) { return file.was_there; });
  if (was_all_there && report.removed.empty()) return all + ", all there before";
  return fmt::format("{}, {} uploaded in {}", all, format_bytes(report.sent_bytes), format_duration(report.seconds));
}

}  // namespace

UploadReport upload_watched(const Context& context, Quiet quiet, const std::function<UploadReport(Progress&, const CancelToken&)>& upload) {
  Notes notes;
  UploadReport report;
  watched_call(context, quiet, notes, [&](Progress& progress, const CancelToken& cancel) { report = upload(progress, cancel); });
  if (quiet == Quiet::kYes) return report;
  if (!report.removed.empty()) {
    notes.show(context, {fmt::format("removed from {}, as loaders would take it for a part of this model: {}", report.repo_id,
                                     fmt::join(report.removed, ", "))});
  }
  context.console.err << summary(report) << '\n';
  return report;
}

}  // namespace hf2mlx::cli
