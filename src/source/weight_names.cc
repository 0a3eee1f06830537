// Which files are weights, of any framework.
#include "source/weight_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace hf2mlx {
namespace {

constexpr std::array<std::string_view, 21> kWeightEndings = {
    ".safetensors", ".bin", ".pt",     ".pth", ".ckpt", ".h5",      ".hdf5",     ".msgpack",   ".gguf",   ".ggml",    ".onnx",
    ".onnx_data",   ".pb",  ".tflite", ".ot",  ".npz",  ".mlmodel", ".mlmodelc", ".mlpackage", ".distcp", ".pdparams"};

// Parts of the names of split files: model.onnx.data, model.onnx_data_1, model.ckpt-0.index, model.safetensors.index.fp16.json.
constexpr std::array<std::string_view, 3> kWeightParts = {".onnx", ".ckpt", ".safetensors.index."};

constexpr std::string_view kIndexEnding = ".index.json";
constexpr std::string_view kPublishersOwn = "consolidated";

}  // namespace

bool is_mlx_weight_file(std::string_view file_name) { return file_name.starts_with("model") && file_name.ends_with(".safetensors"); }

bool is_any_weight_file(std::string_view file_name) {
  std::string name(file_name);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name.starts_with(kPublishersOwn)) return true;
  if (name.ends_with(kIndexEnding)) name.resize(name.size() - kIndexEnding.size());
  return std::any_of(kWeightEndings.begin(), kWeightEndings.end(), [&](std::string_view ending) { return name.ends_with(ending); }) ||
         std::any_of(kWeightParts.begin(), kWeightParts.end(), [&](std::string_view part) { return name.find(part) != name.npos; });
}

}  // namespace hf2mlx
