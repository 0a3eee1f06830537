// What the weights can become, as the picker offers it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hf2mlx/report.h"

namespace hf2mlx::cli {

struct QuantChoice {
  std::string label;               // as inspection names it
  std::string remark;              // what it is good for
  std::string suffix;              // of a folder's name: "4bit"
  std::vector<std::string> words;  // the options that ask for it
  uint64_t bytes = 0;              // of the weights
  double bits_per_weight = 0;
};

// In the order of inspection. Sizes whose labels are not known here are left out.
std::vector<QuantChoice> quant_choices(const std::vector<SizeChoice>& sizes);
size_t usual_choice(const std::vector<QuantChoice>& choices);  // 4 bits, or as it is where that is quantized

enum class Fit { kUnknown, kFits, kTight, kTooLarge };

// Whether weights of that size can be used on a machine with so much memory. By default macOS lets the GPU have about two thirds of it
// (three quarters of more than 36 GB), and contexts need room beside the weights: up to 60 % fits, up to 75 % is tight.
Fit fit_of(uint64_t bytes, uint64_t memory_bytes);
const char* name_of(Fit fit);  // "fits", "tight", "too large", ""

}  // namespace hf2mlx::cli
