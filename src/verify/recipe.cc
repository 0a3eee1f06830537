// See recipe.h.
#include "verify/recipe.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>

#include "hf2mlx/error.h"
#include "plan/loader.h"
#include "plan/planner.h"
#include "writer/manifest.h"

namespace hf2mlx {
namespace {

bool options_of_manifest(const ModelFolder& folder, ConvertOptions& options) {
  if (!folder.has(kManifestFile)) return false;
  try {
    return read_options(read_json_file(folder.path / kManifestFile), options);
  } catch (const Error&) {
    return false;
  }
}

std::set<std::string> packed_paths(const ModelFolder& folder) {
  constexpr std::string_view kScales = ".scales";
  std::set<std::string> paths;
  for (const WeightFile& file : folder.weights) {
    for (const TensorEntry& tensor : file.tensors) {
      if (tensor.name.ends_with(kScales)) paths.insert(tensor.name.substr(0, tensor.name.size() - kScales.size()));
    }
  }
  return paths;
}

std::string spec_of(const Encoding& e) { return fmt::format("{}:{}:{}", e.bits, e.group_size, name_of(e.mode)); }

// Every layer that is packed in the folder gets the encoding it has there, every other stays.
void derive_quantization(const ModelFolder& folder, const Json& source_config, QuantOptions& quant) {
  const bool source_is_packed = source_config.contains("quantization") || source_config.contains("quantization_config");
  if (!folder.config.contains("quantization")) {
    quant.dequantize = source_is_packed;
    return;
  }
  const Json& quantization = folder.config["quantization"];
  const Encoding whole = encoding_from_json(quantization);
  quant.quantize = true;
  quant.requantize = source_is_packed;
  quant.mode = name_of(whole.mode);
  quant.bits = whole.bits;
  quant.group_size = whole.group_size;
  quant.overrides = {"*=keep"};
  for (const std::string& path : packed_paths(folder)) {
    const bool has_entry = quantization.contains(path) && quantization[path].is_object();
    quant.overrides.push_back(fmt::format("{}={}", path, spec_of(has_entry ? encoding_from_json(quantization[path]) : whole)));
  }
}

// The float type of what is stored, where it is not the planned one.
std::string dtype_to_cast_to(const ModelFolder& folder, const Plan& plan) {
  std::map<std::string_view, Dtype> planned;
  for (const OutputTensor& tensor : plan.outputs) planned.emplace(tensor.name, tensor.dtype);
  for (const WeightFile& file : folder.weights) {
    for (const TensorEntry& tensor : file.tensors) {
      const auto at = planned.find(tensor.name);
      if (at == planned.end() || at->second == tensor.dtype || !is_float(tensor.dtype) || !is_float(at->second)) continue;
      return tensor.dtype == Dtype::kF16 ? "float16" : tensor.dtype == Dtype::kBF16 ? "bfloat16" : "float32";
    }
  }
  return {};
}

}  // namespace

Remade remake(const ModelFolder& folder, const Checkpoint& source, const SourceOptions& source_options, const Registry& registry) {
  Remade made;
  made.from_manifest = options_of_manifest(folder, made.options);
  made.is_exact = made.from_manifest || !folder.has(kManifestFile);
  if (!made.from_manifest) {
    made.options = {};
    derive_quantization(folder, source.config, made.options.quant);
  }
  const std::string arch = made.options.source.arch;
  made.options.source = source_options;
  if (made.options.source.arch.empty()) made.options.source.arch = arch;
  made.plan = make_plan(source, registry, made.options);
  if (made.from_manifest) return made;
  made.options.quant.dtype = dtype_to_cast_to(folder, made.plan);
  if (!made.options.quant.dtype.empty()) made.plan = make_plan(source, registry, made.options);
  return made;
}

}  // namespace hf2mlx
