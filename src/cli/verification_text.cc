// See verification_text.h.
#include "cli/verification_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/columns.h"
#include "cli/table.h"
#include "request/text.h"

namespace hf2mlx::cli {
namespace {

constexpr size_t kWidth = 100;

void print_wrapped(std::ostream& out, const std::string& text) {
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    for (const std::string& line : wrap(printable(text.substr(begin, end - begin)), kWidth)) out << "    " << line << '\n';
    begin = end + 1;
  }
}

std::string counts(const Verification& verification) {
  std::vector<std::string> parts;
  for (const Severity severity : {Severity::kError, Severity::kWarning, Severity::kNote}) {
    const auto n = std::count_if(verification.findings.begin(), verification.findings.end(),
                                 [&](const Finding& finding) { return finding.severity == severity; });
    if (n > 0) parts.push_back(fmt::format("{} {}{}", n, name_of(severity), n == 1 ? "" : "s"));
  }
  return parts.empty() ? "nothing found" : join(parts, ", ");
}

// The programs that a finding keeps from loading the folder.
std::string refusals(const Verification& verification) {
  std::vector<std::string> programs;
  for (const Finding& finding : verification.findings) {
    for (const std::string& program : finding.refused_by) {
      if (std::find(programs.begin(), programs.end(), program) == programs.end()) programs.push_back(program);
    }
  }
  return join(programs, ", ");
}

std::string percent(double fraction) { return fmt::format("{:.3f} %", 100 * fraction); }

void print_errors(std::ostream& out, const Verification& verification) {
  Table table({{"LAYER"},
               {"ENCODING"},
               {"RMS ERROR", Align::kRight},
               {"PLAIN ROUNDING", Align::kRight},
               {"WORST GROUP", Align::kRight},
               {"ZEROS", Align::kRight},
               {"ROUNDED", Align::kRight},
               {"ZEROS BEFORE", Align::kRight}});
  const auto add = [&](const LayerError& error, const std::string& name) {
    table.add({name, error.encoding, percent(error.relative_rms), percent(error.rounding_rms), percent(error.worst_group),
               percent(error.zeros), percent(error.rounding_zeros), percent(error.source_zeros)});
  };
  for (const LayerError& error : verification.errors) add(error, error.layer);
  add(whole_of(verification.errors), "all layers");
  table.print(out);
  out << '\n';
}

std::string comparison_words(const Comparison& comparison) {
  std::string words = fmt::format("{} tensors are what a conversion of {} gives", comparison.equal, comparison.source);
  if (comparison.different > 0) words += fmt::format(", {} are not", comparison.different);
  if (comparison.missing > 0) words += fmt::format(", {} are missing", comparison.missing);
  if (comparison.unexpected > 0) words += fmt::format(", {} are too many", comparison.unexpected);
  return words;
}

}  // namespace

void print_verification(std::ostream& out, const Verification& verification) {
  for (const Finding& finding : verification.findings) {
    out << fmt::format("{}: {} [{}]\n", name_of(finding.severity), printable(finding.place), finding.check);
    print_wrapped(out, finding.reason);
    if (!finding.remedy.empty()) print_wrapped(out, "Remedy: " + finding.remedy);
    if (!finding.refused_by.empty()) print_wrapped(out, "Not loaded by: " + join(finding.refused_by, ", "));
    out << '\n';
  }
  if (!verification.errors.empty()) print_errors(out, verification);
  const std::string type = verification.model_type.empty() ? "" : fmt::format(" ({})", printable(verification.model_type));
  out << fmt::format("{}{}: {}\n", verification.model, type, counts(verification));
  out << fmt::format("  {} tensors, {}, {}\n", verification.tensors, format_bytes(verification.weight_bytes), verification.folder.string());
  if (verification.comparison) out << "  " << comparison_words(*verification.comparison) << '\n';
  if (const std::string programs = refusals(verification); !programs.empty()) out << fmt::format("  not loaded by {}\n", programs);
}

}  // namespace hf2mlx::cli
