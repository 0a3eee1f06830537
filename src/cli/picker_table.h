// The two lists of the picker as rows of text, for its screens and for its numbered questions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/picker.h"

namespace hf2mlx::cli {

// As wide as its contents, and not wider than `columns`: then names are cut, and what is least needed is left out.
class ModelTable {
 public:
  ModelTable(const Picker& picker, size_t columns);

  std::string heading() const;
  std::string row(const PickerModel& model) const;

 private:
  struct Column {
    std::string heading;
    std::string (*text)(const PickerModel& model);
    enum { kLeft, kRight } side = kLeft;
    size_t most = 0;   // columns that it may take
    size_t width = 0;  // that it takes
  };

  size_t width() const;

  std::vector<Column> columns_;
};

class ChoiceTable {
 public:
  explicit ChoiceTable(const Picker& picker) : memory_bytes_(picker.world().memory_bytes) {}

  std::string heading() const;
  std::string row(const QuantChoice& choice) const;

 private:
  uint64_t memory_bytes_;
};

std::string format_memory(uint64_t bytes);  // "24 GB", as machines are sold: powers of 1024

// As a person would type it.
std::string command_line(const std::vector<std::string>& words);

}  // namespace hf2mlx::cli
