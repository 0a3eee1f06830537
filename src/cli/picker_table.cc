// See picker_table.h.
#include "cli/picker_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/columns.h"
#include "request/text.h"

namespace hf2mlx::cli {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kEnoughForNames = 28;

std::string when_read(const PickerModel& model, const std::string& text) { return model.is_read && !text.empty() ? printable(text) : "-"; }

std::string name_of(const PickerModel& model) { return printable(model.name); }
std::string architecture_of(const PickerModel& model) { return when_read(model, model.architecture); }
std::string parameters_of(const PickerModel& model) {
  return when_read(model, model.parameters == 0 ? "" : format_count(model.parameters));
}
std::string size_of(const PickerModel& model) { return when_read(model, model.bytes == 0 ? "" : format_bytes(model.bytes)); }
std::string dtype_of(const PickerModel& model) { return when_read(model, model.dtype); }

std::string state_of(const PickerModel& model) {
  if (!model.is_read) return "...";
  if (!model.why_not.empty()) return "cannot";
  return model.conversions.empty() ? "-" : printable(join(model.conversions, ","));
}

}  // namespace

ModelTable::ModelTable(const Picker& picker, size_t columns)
    : columns_{{"MODEL", name_of, Column::kLeft, columns},   {"ARCHITECTURE", architecture_of, Column::kLeft, 14},
               {"PARAMS", parameters_of, Column::kRight, 7}, {"SIZE", size_of, Column::kRight, 8},
               {"DTYPE", dtype_of, Column::kLeft, 8},        {"MLX", state_of, Column::kLeft, 12}} {
  for (Column& column : columns_) {
    size_t widest = column.heading.size();
    for (const PickerModel& model : picker.models()) widest = std::max(widest, display_width(column.text(model)));
    column.width = std::min(widest, column.most);
  }
  Column& names = columns_.front();
  const size_t wanted = std::min(names.width, kEnoughForNames);
  const auto others = [&] { return width() - names.width; };
  for (const char* heading : {"DTYPE", "PARAMS", "ARCHITECTURE", "SIZE", "MLX"}) {
    if (others() + wanted <= columns) break;
    std::erase_if(columns_, [&](const Column& column) { return column.heading == heading; });
  }
  columns_.front().width = std::min(columns_.front().width, columns - std::min(columns, width() - columns_.front().width));
}

size_t ModelTable::width() const {
  size_t width = (columns_.size() - 1) * kGap;
  for (const Column& column : columns_) width += column.width;
  return width;
}

std::string ModelTable::heading() const {
  std::string line;
  for (const Column& column : columns_) {
    if (!line.empty()) line.append(kGap, ' ');
    line += column.side == Column::kLeft ? fitted_left(column.heading, column.width) : fitted_right(column.heading, column.width);
  }
  return line;
}

std::string ModelTable::row(const PickerModel& model) const {
  std::string line;
  for (const Column& column : columns_) {
    if (!line.empty()) line.append(kGap, ' ');
    line += column.side == Column::kLeft ? fitted_left(column.text(model), column.width) : fitted_right(column.text(model), column.width);
  }
  return line;
}

std::string ChoiceTable::heading() const {
  const std::string line = fmt::format("{:<11}  {:>8}  {:>15}", "AS", "SIZE", "BITS PER WEIGHT");
  return memory_bytes_ == 0 ? line : fmt::format("{}  IN {} OF MEMORY", line, format_memory(memory_bytes_));
}

std::string ChoiceTable::row(const QuantChoice& choice) const {
  const std::string fit = hf2mlx::cli::name_of(fit_of(choice.bytes, memory_bytes_));
  return fmt::format("{:<11}  {:>8}  {:>15.3f}  {:<9}", choice.label, format_bytes(choice.bytes), choice.bits_per_weight, fit);
}

std::string format_memory(uint64_t bytes) { return fmt::format("{} GB", (bytes + (1ull << 29)) >> 30); }

std::string command_line(const std::vector<std::string>& words) {
  std::vector<std::string> quoted = {"hf2mlx"};
  for (const std::string& word : words) quoted.push_back(shell_quote(word));
  return join(quoted, " ");
}

}  // namespace hf2mlx::cli
