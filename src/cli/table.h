// Rows of text in aligned columns.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace hf2mlx::cli {

enum class Align { kLeft, kRight };

struct Column {
  std::string heading;
  Align align = Align::kLeft;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Requires: one cell for each column. What a terminal would obey is not shown.
  void add(const std::vector<std::string>& cells);
  bool empty() const { return rows_.empty(); }
  void print(std::ostream& out, size_t indent = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace hf2mlx::cli
