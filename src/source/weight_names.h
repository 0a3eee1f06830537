// Which files are weights, of any framework.
#pragma once

#include <string_view>

namespace hf2mlx {

inline constexpr const char* kWeightIndexFile = "model.safetensors.index.json";

// What mlx_lm opens: model*.safetensors.
bool is_mlx_weight_file(std::string_view file_name);

// Weights of any framework (safetensors, PyTorch, TensorFlow, Flax, ONNX, GGUF, Core ML ...) and their indexes.
bool is_any_weight_file(std::string_view file_name);

}  // namespace hf2mlx
