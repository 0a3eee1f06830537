// See model_list.h.
#include "cli/model_list.h"

#include <fmt/format.h>

#include <ostream>

#include "cli/columns.h"
#include "cli/table.h"
#include "request/text.h"
#include "request/variants.h"

namespace hf2mlx::cli {
namespace {

constexpr size_t kShownDigits = 12;  // of a commit

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

void print_models(std::ostream& out, const char* title, const ModelList& list) {
  out << fmt::format("{} ({})\n", title, list.folder.string());
  if (list.models.empty()) {
    out << "  none\n";
    return;
  }
  Table table({{"MODEL"}, {"SIZE", Align::kRight}, {"ARCHITECTURE"}, {"QUANTIZATION"}, {"CONVERTIBLE"}});
  for (const ListedModel& model : list.models) {
    const Inspection& inspection = model.inspection;
    table.add({name_for_convert(model.name, model.revision), inspection.source_bytes == 0 ? "-" : format_bytes(inspection.source_bytes),
               or_dash(inspection.architecture.empty() ? inspection.model_type : inspection.architecture), or_dash(inspection.quantization),
               inspection.why_not.empty() ? "yes" : fmt::format("no: {}", first_line(inspection.why_not))});
  }
  table.print(out, 2);
}

std::string shortened(const std::string& commit) { return or_dash(commit.substr(0, kShownDigits)); }

std::string state_of(const Original& original) {
  switch (original.state) {
    case OriginalState::kCurrent:
      return "the same";
    case OriginalState::kMoved:
      return "moved on to " + shortened(original.commit);
    case OriginalState::kUnknown:
      return "here, revision not known";
    case OriginalState::kAbsent:
      break;
  }
  return "not here";
}

void print_pairs(std::ostream& out, const std::vector<ListedPair>& pairs) {
  out << "Conversions (in the current folder and LM Studio)\n";
  if (pairs.empty()) {
    out << "  none\n";
    return;
  }
  Table table({{"ORIGINAL"}, {"REVISION"}, {"ORIGINAL NOW"}, {"AS"}, {"FOLDER"}});
  for (const auto& [made, original] : pairs) {
    const std::string revision = made.revision.empty() ? shortened(made.commit) : made.revision + " " + shortened(made.commit);
    table.add({made.repo_id.empty() ? made.name : made.repo_id, revision, state_of(original), label_of(made.quant),
               made.folder.lexically_normal().string()});
  }
  table.print(out, 2);
}

}  // namespace

std::string name_for_convert(const std::string& name, const std::string& revision) {
  constexpr size_t kCommitDigits = 40;
  if (revision.empty() || revision == "main") return name;
  const bool is_commit = revision.size() == kCommitDigits && revision.find_first_not_of("0123456789abcdef") == std::string::npos;
  return name + "@" + (is_commit ? revision.substr(0, kShownDigits) : revision);
}

void print_list(std::ostream& out, const Listing& listing) {
  print_models(out, "Hugging Face cache", listing.models.cache);
  out << '\n';
  print_models(out, "LM Studio", listing.models.lm_studio);
  out << '\n';
  print_pairs(out, listing.pairs);
}

}  // namespace hf2mlx::cli
