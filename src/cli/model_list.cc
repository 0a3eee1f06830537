// See model_list.h.
#include "cli/model_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/columns.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/variants.h"
#include "hf2mlx/convert.h"
#include "source/hf_cache.h"

namespace hf2mlx::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kShownDigits = 12;  // of a commit

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) folders.push_back(entry->path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : printable(text); }

void print_models(std::ostream& out, const char* title, const ModelList& list) {
  out << fmt::format("{} ({})\n", title, list.folder.string());
  if (list.models.empty()) {
    out << "  none\n";
    return;
  }
  Table table({{"MODEL"}, {"SIZE", Align::kRight}, {"ARCHITECTURE"}, {"QUANTIZATION"}, {"CONVERTIBLE"}});
  for (const ListedModel& model : list.models) {
    const Inspection& inspection = model.inspection;
    table.add({printable(name_for_convert(model.name, model.revision)),
               inspection.source_bytes == 0 ? "-" : format_bytes(inspection.source_bytes),
               or_dash(inspection.architecture.empty() ? inspection.model_type : inspection.architecture), or_dash(inspection.quantization),
               inspection.why_not.empty() ? "yes" : "no: " + printable(inspection.why_not)});
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
    table.add({printable(made.repo_id.empty() ? made.name : made.repo_id), printable(revision), state_of(original), label_of(made.quant),
               printable(made.folder.lexically_normal().string())});
  }
  table.print(out, 2);
}

Json to_json(const ListedModel& model) {
  const Inspection& inspection = model.inspection;
  return {{"model", model.name},
          {"revision", model.revision},
          {"path", inspection.source.string()},
          {"source_bytes", inspection.source_bytes},
          {"parameters", inspection.parameters},
          {"architecture", inspection.architecture},
          {"model_type", inspection.model_type},
          {"quantization", inspection.quantization},
          {"convertible", inspection.why_not.empty()},
          {"why_not", inspection.why_not}};
}

Json to_json(const ModelList& list) {
  Json models = Json::array();
  for (const ListedModel& model : list.models) models.push_back(to_json(model));
  return {{"folder", list.folder.string()}, {"models", models}};
}

}  // namespace

Inspection inspect_or_explain(const fs::path& folder) {
  try {
    SourceOptions source;
    source.model = folder.string();
    return inspect(source);
  } catch (const Error& error) {
    Inspection inspection;
    inspection.source = folder;
    inspection.why_not = error.what();
    return inspection;
  }
}

std::string name_for_convert(const std::string& name, const std::string& revision) {
  constexpr size_t kCommitDigits = 40;
  if (revision.empty() || revision == "main") return name;
  const bool is_commit = revision.size() == kCommitDigits && revision.find_first_not_of("0123456789abcdef") == std::string::npos;
  return name + "@" + (is_commit ? revision.substr(0, kShownDigits) : revision);
}

ModelList list_cached_models(const fs::path& cache_dir) {
  ModelList list{.folder = cache_dir, .models = {}};
  for (const CacheEntry& entry : list_cache(cache_dir)) {
    list.models.push_back({entry.repo_id, entry.revision.empty() ? entry.commit : entry.revision, inspect_or_explain(entry.path)});
  }
  return list;
}

ModelList list_lm_studio_models(const fs::path& models_dir) {
  ModelList list{.folder = models_dir, .models = {}};
  for (const fs::path& publisher : folders_in(models_dir)) {
    for (const fs::path& model : folders_in(publisher)) {
      std::error_code ignored;
      if (!fs::exists(model / "config.json", ignored)) continue;
      list.models.push_back({publisher.filename().string() + "/" + model.filename().string(), "", inspect_or_explain(model)});
    }
  }
  return list;
}

std::vector<ListedPair> list_pairs(const std::vector<SearchPlace>& places, const fs::path& cache_dir) {
  std::vector<ListedPair> pairs;
  for (Conversion& conversion : find_conversions(places)) {
    Original original = original_of(conversion, cache_dir);
    pairs.push_back({std::move(conversion), std::move(original)});
  }
  const auto key = [](const ListedPair& pair) { return pair.conversion.repo_id.empty() ? pair.conversion.name : pair.conversion.repo_id; };
  std::stable_sort(pairs.begin(), pairs.end(), [&](const ListedPair& a, const ListedPair& b) { return key(a) < key(b); });
  return pairs;
}

void print_list(std::ostream& out, const Listing& listing) {
  print_models(out, "Hugging Face cache", listing.cache);
  out << '\n';
  print_models(out, "LM Studio", listing.lm_studio);
  out << '\n';
  print_pairs(out, listing.pairs);
}

Json to_json(const Listing& listing) {
  Json pairs = Json::array();
  for (const ListedPair& pair : listing.pairs) pairs.push_back(to_json(pair.conversion, pair.original));
  return {{"cache", to_json(listing.cache)}, {"lm_studio", to_json(listing.lm_studio)}, {"conversions", pairs}};
}

}  // namespace hf2mlx::cli
