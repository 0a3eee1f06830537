// Where tools state how they have quantized a model, when config.json does not say it.
#pragma once

#include <array>
#include <string_view>

namespace hf2mlx {

struct QuantizerFile {
  std::string_view name;
  std::string_view method;  // the quant_method that it leaves unsaid; empty: it names its tool
  std::string_view tensor;  // how the name of one of its tensors ends; a file can be left beside weights that are floats again
};

// ModelOpt, AutoAWQ and AutoGPTQ. They describe the source's weights, so they do not go along.
inline constexpr std::array<QuantizerFile, 3> kQuantizerFiles = {
    {{"hf_quant_config.json", "", ""}, {"quant_config.json", "awq", ".qweight"}, {"quantize_config.json", "gptq", ".qweight"}}};

constexpr bool is_quantizer_file(std::string_view name) {
  for (const QuantizerFile& file : kQuantizerFiles) {
    if (file.name == name) return true;
  }
  return false;
}

}  // namespace hf2mlx
