// See table.h.
#include "cli/table.h"

#include <algorithm>
#include <ostream>

#include "cli/columns.h"

namespace hf2mlx::cli {
namespace {

std::string padded(const std::string& cell, size_t width, Align align) {
  const std::string space(width - std::min(width, display_width(cell)), ' ');
  return align == Align::kLeft ? cell + space : space + cell;
}

}  // namespace

void Table::add(const std::vector<std::string>& cells) {
  std::vector<std::string>& row = rows_.emplace_back();
  for (const std::string& cell : cells) row.push_back(printable(cell));
}

void Table::print(std::ostream& out, size_t indent) const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    widths.push_back(display_width(columns_[c].heading));
    for (const auto& row : rows_) widths[c] = std::max(widths[c], display_width(row[c]));
  }
  const auto print_row = [&](const auto& cell_of) {
    std::string line(indent, ' ');
    for (size_t c = 0; c < columns_.size(); ++c) line += (c == 0 ? "" : "  ") + padded(cell_of(c), widths[c], columns_[c].align);
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  };
  print_row([&](size_t c) -> const std::string& { return columns_[c].heading; });
  for (const auto& row : rows_) print_row([&](size_t c) -> const std::string& { return row[c]; });
}

}  // namespace hf2mlx::cli
