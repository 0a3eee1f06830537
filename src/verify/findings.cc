// See findings.h.
#include "verify/findings.h"

#include <algorithm>

namespace hf2mlx {

std::string_view name_of(Severity severity) noexcept {
  constexpr std::string_view kNames[] = {"note", "warning", "error"};
  return kNames[static_cast<size_t>(severity)];
}

Severity Verification::worst() const {
  Severity worst = Severity::kNote;
  for (const Finding& finding : findings) worst = std::max(worst, finding.severity);
  return worst;
}

void Findings::add(Severity severity, Finding finding) {
  finding.severity = severity;
  errors_ += severity == Severity::kError ? 1 : 0;
  found_.push_back(std::move(finding));
}

std::vector<Finding> Findings::take() {
  std::stable_sort(found_.begin(), found_.end(), [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return std::move(found_);
}

}  // namespace hf2mlx
