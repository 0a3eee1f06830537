// See structure.h.
#include "verify/structure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

// Checks of what the source has a say in: a tokenizer that it lacks is not ours to refuse.
bool is_of_the_source(const Finding& finding) {
  constexpr std::array<std::string_view, 5> kAreas = {"files.", "config.", "tokenizer.", "template.", "stop."};
  return std::any_of(kAreas.begin(), kAreas.end(), [&](std::string_view area) { return finding.check.starts_with(area); });
}

// mlx_lm puts the settings of its own quantization in the place of BitNet's.
bool is_ternary(const Json& config) {
  const Json settings = config.value("quantization_config", Json());
  return settings.is_object() && settings.value("quant_method", Json()) == "bitnet";
}

// The writer knows more: config.json of the source, and why a tokenizer cannot be built.
bool is_said_by_the_writer(const Finding& finding) { return finding.check == "stop.left-out" || finding.check == "tokenizer.no-json"; }

}  // namespace

void check_structure(const ModelFolder& folder, const SourceOptions& source, const Registry& registry, Depth depth, Findings& findings) {
  check_weight_files(folder, findings);
  check_architecture(folder, source, registry, findings);
  check_config(folder, findings);
  check_tokenizer(folder, depth, findings);
  check_left_overs(folder, findings);
}

std::vector<std::string> notes_on_output(const FilledFolder& filled, const Registry& registry) {
  Findings findings;
  check_structure(open_model_folder(filled.path, filled.name, findings), filled.source, registry, Depth::kQuick, findings);
  std::vector<std::string> notes;
  for (const Finding& finding : findings.take()) {
    if (finding.check == "architecture.tensors" && is_ternary(filled.source_config)) {
      notes.emplace_back("the head stays ternary, as mlx_lm leaves it, but config.json no longer says so: nothing loads this model");
      continue;
    }
    if (finding.severity == Severity::kError && !is_of_the_source(finding)) {
      throw Error(ErrorCode::kInternal, fmt::format("what was written does not pass its checks: {}: {}", finding.place, finding.reason),
                  "this is a defect of hf2mlx; please report it with the command line and the model's name");
    }
    if (finding.severity == Severity::kNote || is_said_by_the_writer(finding)) continue;
    const std::string& place = finding.place == filled.path.string() ? filled.name : finding.place;  // the path is about to change
    notes.push_back(fmt::format("{}: {}; {}", place, finding.reason, finding.remedy));
  }
  return notes;
}

}  // namespace hf2mlx
