// See picker_choices.h.
#include "cli/picker_choices.h"

#include <algorithm>
#include <iterator>

namespace hf2mlx::cli {
namespace {

struct Known {
  const char* label;
  const char* remark;
  const char* suffix;
};

constexpr Known kKnown[] = {
    {"unquantized", "as it is: nothing is lost", ""},
    {"as it is", "quantized already: nothing is lost", ""},
    {"dequantized", "floats again: larger, and no better", "floats"},
    {"8-bit", "hardly to be told from the original", "8bit"},
    {"6-bit", "very close to the original", "6bit"},
    {"5-bit", "close to the original", "5bit"},
    {"4-bit", "the usual choice: small and good", "4bit"},
    {"3-bit", "smaller, with losses that show", "3bit"},
    {"2-bit", "the smallest; few models bear it", "2bit"},
    {"mxfp8", "8-bit floating point, a scale for 32 weights", "mxfp8"},
    {"nvfp4", "4-bit floating point, a scale for 16 weights", "nvfp4"},
    {"mxfp4", "4-bit floating point, a scale for 32 weights", "mxfp4"},
};

bool is_second_loss(const SizeChoice& size) {
  return std::find(size.options.begin(), size.options.end(), "--requantize") != size.options.end();
}

}  // namespace

std::vector<QuantChoice> quant_choices(const std::vector<SizeChoice>& sizes) {
  std::vector<QuantChoice> choices;
  for (const SizeChoice& size : sizes) {
    const auto known = std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& k) { return k.label == size.label; });
    if (known == std::end(kKnown)) continue;
    const char* remark = is_second_loss(size) ? "quantized a second time: another loss" : known->remark;
    choices.push_back({size.label, remark, known->suffix, size.options, size.bytes, size.bits_per_weight});
  }
  return choices;
}

size_t usual_choice(const std::vector<QuantChoice>& choices) {
  const auto is_usual = [](const QuantChoice& choice) { return choice.label == "4-bit" || choice.label == "as it is"; };
  const auto usual = std::find_if(choices.begin(), choices.end(), is_usual);
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
