// One conversion for each variant of a case.
#include "golden/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "base/temp_folder.h"
#include "golden/compare.h"
#include "hf2mlx/convert.h"

namespace hf2mlx::golden {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kMostThreads = 3;  // output must not depend on their number

// Flags of mlx_lm.convert as options of ours.
QuantOptions parse_args(const std::vector<std::string>& args) {
  QuantOptions quant;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& flag = args[i];
    if (flag == "-q") {
      quant.quantize = true;
    } else if (flag == "-d") {
      quant.dequantize = true;
    } else if (flag == "--q-bits") {
      quant.bits = std::stoul(args.at(++i));
    } else if (flag == "--q-group-size") {
      quant.group_size = std::stoul(args.at(++i));
    } else if (flag == "--q-mode") {
      quant.mode = args.at(++i);
    } else if (flag == "--quant-predicate") {
      quant.recipe = args.at(++i);
    } else if (flag == "--dtype") {
      quant.dtype = args.at(++i);
    } else if (flag != "--trust-remote-code") {
      throw std::invalid_argument("unknown argument " + flag);
    }
  }
  return quant;
}

// Folders beside the source and the output are left-overs of staging.
void check_left_overs(const fs::path& scratch, std::vector<std::string>& messages) {
  for (const auto& entry : fs::directory_iterator(scratch)) {
    const std::string name = entry.path().filename().string();
    if (name != "source" && name != "output") messages.push_back("left behind: " + name);
  }
}

// What a variant is held to.
enum class Demand { kSame, kNoCrash, kExempt };

Verdict judge_output(Demand demand, const Variant& variant, const fs::path& output, std::vector<std::string>& messages) {
  const ModelDigest got = read_model(output);
  if (demand == Demand::kExempt) return Verdict::kExempt;
  if (demand == Demand::kNoCrash) return Verdict::kExceeds;
  messages = differences(*variant.wanted, got);
  return messages.empty() ? Verdict::kAgrees : Verdict::kFails;
}

Verdict judge_error(Demand demand, const Error& error, const fs::path& output, std::vector<std::string>& messages) {
  messages.push_back(fmt::format("{}: {}{}{}", name_of(error.code()), error.what(), error.hint().empty() ? "" : "; ", error.hint()));
  if (fs::exists(output)) messages.push_back("the refusal leaves an output folder behind");
  if (error.code() == ErrorCode::kInternal || messages.size() > 1 || demand == Demand::kSame) return Verdict::kFails;
  return demand == Demand::kExempt ? Verdict::kExempt : Verdict::kRefuses;
}

// An MLX model goes through its own rules unharmed.
void convert_again(const ConvertOptions& options, const fs::path& scratch, VariantResult& result) {
  ConvertOptions again = options;
  again.source.model = options.output.string();
  again.output = scratch / "again";
  convert(again);
  for (const std::string& difference : differences(read_model(options.output), read_model(again.output))) {
    result.messages.push_back("converted again: " + difference);
    result.verdict = Verdict::kFails;
  }
  fs::remove_all(again.output);
}

VariantResult run_variant(Demand demand, const Variant& variant, const ConvertOptions& options, const fs::path& scratch) {
  VariantResult result{variant.name, Verdict::kFails, {}};
  try {
    convert(options);
    result.verdict = judge_output(demand, variant, options.output, result.messages);
    if (variant.args.empty()) convert_again(options, scratch, result);
  } catch (const Error& error) {
    result.verdict = judge_error(demand, error, options.output, result.messages);
  } catch (const std::exception& error) {
    result.messages.push_back(fmt::format("not an Error: {}", error.what()));
  }
  fs::remove_all(options.output);
  const size_t before = result.messages.size();
  check_left_overs(scratch, result.messages);
  if (result.messages.size() != before) result.verdict = Verdict::kFails;
  return result;
}

std::set<std::string> read_pending(const fs::path& file) {
  std::set<std::string> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') out.insert(line);
  }
  return out;
}

std::set<std::string> read_exempt(const fs::path& file) {
  std::set<std::string> out;
  std::ifstream in(file);
  if (!in) return out;
  const auto content = nlohmann::json::parse(in);
  for (const auto& [entry, why] : content.at("entries").items()) out.insert(entry);
  return out;
}

}  // namespace

Suite::Suite(const fs::path& root) : root_(root), exempt_(read_exempt(root / "exempt.json")), pending_(read_pending(root / "pending.txt")) {
  for (const auto& entry : fs::directory_iterator(root / "cases")) {
    if (entry.path().extension() == ".json") names_.push_back(entry.path().stem().string());
  }
  std::sort(names_.begin(), names_.end());
}

std::vector<std::string> Suite::unknown_entries() const {
  std::set<std::string> known(names_.begin(), names_.end());
  for (const auto& name : names_) {
    for (const auto& variant : load_case(file_of(name)).variants) known.insert(name + "/" + variant.name);
  }
  std::vector<std::string> out;
  for (const auto* list : {&exempt_, &pending_}) {
    std::set_difference(list->begin(), list->end(), known.begin(), known.end(), std::back_inserter(out));
  }
  return out;
}

std::vector<VariantResult> Suite::run(const std::string& name, const fs::path& arch_dir) const {
  const TempFolder scratch;
  const GoldenCase golden = load_case(file_of(name));
  materialize(golden, root_ / "tokenizer", scratch / "source");
  std::vector<VariantResult> results;
  for (const auto& variant : golden.variants) {
    ConvertOptions options;
    options.source.model = (scratch / "source").string();
    options.source.arch_dir = arch_dir;
    options.quant = parse_args(variant.args);
    options.output = scratch / "output";
    options.threads = 1 + static_cast<unsigned>(results.size()) % kMostThreads;
    const Demand demand = is_exempt(name, variant.name) ? Demand::kExempt : variant.wanted ? Demand::kSame : Demand::kNoCrash;
    results.push_back(run_variant(demand, variant, options, scratch.path()));
  }
  return results;
}

}  // namespace hf2mlx::golden
