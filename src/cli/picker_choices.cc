// See picker_choices.h.
#include "cli/picker_choices.h"

#include <algorithm>
#include <array>

namespace hf2mlx::cli {
namespace {

const std::array kKnown = {
    QuantChoice{"unquantized", "as it is: nothing is lost", "", {}},
    QuantChoice{"8-bit", "hardly to be told from the original", "8bit", {"-q", "--q-bits", "8"}},
    QuantChoice{"6-bit", "very close to the original", "6bit", {"-q", "--q-bits", "6"}},
    QuantChoice{"5-bit", "close to the original", "5bit", {"-q", "--q-bits", "5"}},
    QuantChoice{"4-bit", "the usual choice: small and good", "4bit", {"-q", "--q-bits", "4"}},
    QuantChoice{"3-bit", "smaller, with losses that show", "3bit", {"-q", "--q-bits", "3"}},
    QuantChoice{"2-bit", "the smallest; few models bear it", "2bit", {"-q", "--q-bits", "2"}},
    QuantChoice{"mxfp8", "8-bit floating point, a scale for 32 weights", "mxfp8", {"-q", "--q-mode", "mxfp8"}},
    QuantChoice{"nvfp4", "4-bit floating point, a scale for 16 weights", "nvfp4", {"-q", "--q-mode", "nvfp4"}},
    QuantChoice{"mxfp4", "4-bit floating point, a scale for 32 weights", "mxfp4", {"-q", "--q-mode", "mxfp4"}},
};

}  // namespace

std::vector<QuantChoice> quant_choices(const std::vector<SizeChoice>& sizes) {
  std::vector<QuantChoice> choices;
  for (const SizeChoice& size : sizes) {
    const auto known = std::find_if(kKnown.begin(), kKnown.end(), [&](const QuantChoice& choice) { return choice.label == size.label; });
    if (known == kKnown.end()) continue;
    choices.push_back(*known);
    choices.back().bytes = size.bytes;
    choices.back().bits_per_weight = size.bits_per_weight;
  }
  return choices;
}

size_t usual_choice(const std::vector<QuantChoice>& choices) {
  const auto usual = std::find_if(choices.begin(), choices.end(), [](const QuantChoice& choice) { return choice.label == "4-bit"; });
  return usual == choices.end() ? 0 : static_cast<size_t>(usual - choices.begin());
}

Fit fit_of(uint64_t bytes, uint64_t memory_bytes) {
  if (memory_bytes == 0) return Fit::kUnknown;
  const double part = static_cast<double>(bytes) / static_cast<double>(memory_bytes);
  return part <= 0.6 ? Fit::kFits : part <= 0.75 ? Fit::kTight : Fit::kTooLarge;
}

const char* name_of(Fit fit) {
  switch (fit) {
    case Fit::kFits:
      return "fits";
    case Fit::kTight:
      return "tight";
    case Fit::kTooLarge:
      return "too large";
    case Fit::kUnknown:
      break;
  }
  return "";
}

}  // namespace hf2mlx::cli
