// See report_text.h.
#include "cli/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>

#include "cli/columns.h"
#include "cli/table.h"
#include "request/text.h"

namespace hf2mlx::cli {
namespace {

std::string quantization_words(const Report& report) {
  const std::string bits = fmt::format("{:.3f} bits per weight", report.bits_per_weight);
  if (report.quantized_layers == 0) return bits + ", no layer quantized";
  return fmt::format("{}, {} layers quantized", bits, report.quantized_layers);
}

// Sizes that could have been had, and what they cost.
void print_frontier(std::ostream& out, const Report& report) {
  if (report.frontier.empty()) return;
  Table table({{"BITS PER WEIGHT", Align::kRight}, {"SIZE", Align::kRight}, {"ERROR", Align::kRight}, {""}});
  for (const FrontierPoint& point : report.frontier) {
    table.add({fmt::format("{:.3f}", point.bits_per_weight), format_bytes(point.bytes), fmt::format("{:.3f} %", 100 * point.error),
               point.chosen ? "chosen" : ""});
  }
  out << '\n';
  table.print(out, 2);
}

std::string percent(double fraction) { return fmt::format("{:.2f} %", 100 * fraction); }

// The error beside that of plain rounding, as a whole and where it is largest.
void print_errors(std::ostream& out, const Report& report) {
  if (report.errors.empty()) return;
  constexpr size_t kWorst = 3;
  const LayerError whole = whole_of(report.errors);
  const double change = whole.rounding_rms > 0 ? std::pow(whole.relative_rms / whole.rounding_rms, 2) - 1 : 0;
  out << fmt::format("  error {} RMS{}, by plain rounding {} (squared: {:+.1f} %); exact zeros {}, by plain rounding {}\n",
                     percent(whole.relative_rms), whole.weighted ? " weighted" : "", percent(whole.rounding_rms), 100 * change,
                     percent(whole.zeros), percent(whole.rounding_zeros));
  std::vector<LayerError> worst = report.errors;
  std::stable_sort(worst.begin(), worst.end(), [](const LayerError& a, const LayerError& b) { return a.relative_rms > b.relative_rms; });
  worst.resize(std::min(worst.size(), kWorst));
  std::vector<std::string> words;
  for (const LayerError& layer : worst)
    words.push_back(fmt::format("{} {} ({})", layer.layer, percent(layer.relative_rms), percent(layer.rounding_rms)));
  out << fmt::format("  most in {}; measured on {} of the weights, each layer with --json\n", join(words, ", "),
                     percent(static_cast<double>(whole.measured) / static_cast<double>(whole.values)));
}

void print_result(std::ostream& out, const Report& report) {
  out << fmt::format("{} ({})\n", report.model, report.architecture);
  out << fmt::format("  {} -> {}, {}\n", format_bytes(report.source_bytes), format_bytes(report.output_bytes), quantization_words(report));
  print_errors(out, report);
  // Both are limited by the clock's resolution for the tiniest models.
  const double seconds = std::max(report.seconds, 1e-3);
  out << fmt::format("  {}, {}\n", format_duration(seconds), format_rate(static_cast<double>(report.source_bytes) / seconds));
  if (report.received_bytes > 0) out << fmt::format("  {} received, nothing of it stored\n", format_bytes(report.received_bytes));
  out << fmt::format("  {}\n\n", report.output.string());
}

std::string dtypes_of(const Inspection& inspection) {
  std::vector<std::string> parts;
  for (const auto& [dtype, bytes] : inspection.dtypes) parts.push_back(fmt::format("{} {}", format_bytes(bytes), dtype));
  return join(parts, ", ");
}

std::string architecture_of(const Inspection& inspection) {
  if (inspection.architecture.empty()) return fmt::format("none for model type {}", inspection.model_type);
  if (inspection.architecture == inspection.model_type) return inspection.architecture;
  return fmt::format("{} (model type {})", inspection.architecture, inspection.model_type);
}

void print_sizes(std::ostream& out, const Inspection& inspection) {
  if (inspection.sizes.empty()) return;
  Table table({{"AS"}, {"SIZE", Align::kRight}, {"BITS PER WEIGHT", Align::kRight}});
  for (const SizeChoice& choice : inspection.sizes) {
    table.add({choice.label, format_bytes(choice.bytes), fmt::format("{:.3f}", choice.bits_per_weight)});
  }
  out << '\n';
  table.print(out, 2);
  const std::vector<std::string>& last = inspection.sizes.back().options;
  if (std::find(last.begin(), last.end(), "--requantize") != last.end())
    out << "\n  The layers are quantized already; all but the first two need --requantize, and lose something again.\n";
}

void print_source_tensors(std::ostream& out, const Inspection& inspection) {
  Table table({{"TENSOR"}, {"DTYPE"}, {"SHAPE"}, {"FILE"}, {"BYTES", Align::kRight}});
  for (const SourceTensor& tensor : inspection.tensors) {
    table.add({tensor.name, tensor.dtype, format_shape(tensor.shape), tensor.file, std::to_string(tensor.size_bytes)});
  }
  out << '\n';
  table.print(out);
}

}  // namespace

void print_summary(std::ostream& out, const Report& report) {
  print_result(out, report);
  out << fmt::format("Run it:\n  mlx_lm.generate --model {} --prompt \"Hello\"\n", shell_quote(report.output.string()));
}

void print_lm_studio_summary(std::ostream& out, const Report& report) {
  print_result(out, report);
  out << fmt::format("Open LM Studio: it is listed as {}/{}.\n", report.output.parent_path().filename().string(),
                     report.output.filename().string());
}

void print_plan(std::ostream& out, const Report& report) {
  Table table({{"TENSOR"}, {"ENCODING"}, {"SHAPE"}, {"FILE"}, {"OFFSET", Align::kRight}, {"BYTES", Align::kRight}});
  std::set<std::string> shards;
  for (const TensorReport& tensor : report.tensors) {
    shards.insert(tensor.shard);
    const std::string encoding = tensor.encoding.empty() ? tensor.dtype : fmt::format("{} {}", tensor.dtype, tensor.encoding);
    table.add({tensor.name, encoding, format_shape(tensor.shape), tensor.shard, std::to_string(tensor.offset_bytes),
               std::to_string(tensor.size_bytes)});
  }
  table.print(out);
  out << fmt::format("\n{} ({}) to {}: nothing was written\n", report.model, report.architecture, report.output.string());
  out << fmt::format("  {} -> {} in {} tensors and {} {}, {}\n", format_bytes(report.source_bytes), format_bytes(report.output_bytes),
                     report.tensors.size(), shards.size(), shards.size() == 1 ? "file" : "files", quantization_words(report));
  if (report.received_bytes > 0) out << fmt::format("  read at the hub: {} received\n", format_bytes(report.received_bytes));
  print_frontier(out, report);
}

void print_inspection(std::ostream& out, const Inspection& inspection, Tensors tensors) {
  const auto line = [&](const char* label, const std::string& value) { out << fmt::format("  {:<14}{}\n", label, printable_lines(value)); };
  out << inspection.model << '\n';
  if (inspection.received_bytes == 0) line("folder", inspection.source.string());
  if (inspection.received_bytes > 0) line("place", fmt::format("the hub; {} received", format_bytes(inspection.received_bytes)));
  line("architecture", architecture_of(inspection));
  line("parameters", fmt::format("{} ({})", format_count(inspection.parameters), inspection.parameters));
  line("weights", fmt::format("{}: {}", format_bytes(inspection.source_bytes), dtypes_of(inspection)));
  line("tensors", std::to_string(inspection.tensors.size()));
  line("quantization", inspection.quantization);
  line("convertible", inspection.why_not.empty() ? "yes" : "no: " + inspection.why_not);
  print_sizes(out, inspection);
  if (tensors == Tensors::kList) print_source_tensors(out, inspection);
}

}  // namespace hf2mlx::cli
