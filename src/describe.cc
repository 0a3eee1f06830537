#include "describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plan/loader.h"

namespace hf2mlx {

std::string display_name(const Checkpoint& checkpoint) { return checkpoint.repo_id.empty() ? checkpoint.name : checkpoint.repo_id; }

std::string source_quantization(const Checkpoint& checkpoint) {
  const Json& config = checkpoint.config;
  if (config.contains("quantization") && config["quantization"].is_object()) return to_text(encoding_from_json(config["quantization"]));
  const Json text = config.value("text_config", Json::object());
  for (const Json* holder : {&config, &text}) {
    if (!holder->is_object() || !holder->contains("quantization_config")) continue;
    const Json& settings = (*holder)["quantization_config"];
    if (settings.is_object() && settings.contains("quant_method")) return to_text(settings["quant_method"]);
  }
  const Json& settings = checkpoint.quantizer_config;
  return settings.is_object() ? to_text(settings.value("quant_method", Json("modelopt"))) : "none";
}

Report describe(const Checkpoint& checkpoint, const Plan& plan) {
  Report report;
  report.model = display_name(checkpoint);
  report.architecture = plan.architecture;
  report.model_type = to_text(checkpoint.config.value("model_type", Json("")));
  report.source = checkpoint.folder;
  report.source_bytes = checkpoint.weight_bytes;
  report.output_bytes = plan.output_bytes;
  report.parameters = plan.parameters;
  report.bits_per_weight = plan.bits_per_weight();
  report.quantized_layers = plan.quantized_layers;
  report.notes = checkpoint.notes;
  report.notes.insert(report.notes.end(), plan.notes.begin(), plan.notes.end());
  return report;
}

LayerError whole_of(const std::vector<LayerError>& layers) {
  LayerError whole;
  double squares = 0, errors = 0, rounding_errors = 0;
  for (const LayerError& layer : layers) {
    const auto values = static_cast<double>(layer.values);
    const double of_layer = values * layer.value_rms * layer.value_rms;
    squares += of_layer;
    errors += of_layer * layer.relative_rms * layer.relative_rms;
    rounding_errors += of_layer * layer.rounding_rms * layer.rounding_rms;
    whole.values += layer.values;
    whole.measured += layer.measured;
    whole.weighted = whole.weighted || layer.weighted;
    whole.zeros += values * layer.zeros;
    whole.rounding_zeros += values * layer.rounding_zeros;
    for (size_t i = 0; i < kErrorSteps; ++i) whole.group_errors[i] += layer.group_errors[i];
    whole.source_zeros += values * layer.source_zeros;
    if (layer.worst_group <= whole.worst_group) continue;
    whole.layer = layer.layer;
    whole.worst_group = layer.worst_group;
    whole.worst_index = layer.worst_index;
  }
  const double values = std::max(static_cast<double>(whole.values), 1.0);
  whole.value_rms = std::sqrt(squares / values);
  whole.relative_rms = squares > 0 ? std::sqrt(errors / squares) : 0;
  whole.rounding_rms = squares > 0 ? std::sqrt(rounding_errors / squares) : 0;
  for (double* share : {&whole.zeros, &whole.rounding_zeros, &whole.source_zeros}) *share /= values;
  return whole;
}

std::vector<TensorReport> describe_tensors(const Plan& plan) {
  std::vector<TensorReport> out;
  out.reserve(plan.outputs.size());
  for (const OutputTensor& t : plan.outputs) {
    out.push_back({t.name, std::string(name_of(t.dtype)), t.shape, {}, plan.shards[t.shard].file_name, t.offset_bytes, t.size_bytes()});
  }
  for (const Step& step : plan.steps) {
    if (step.encoding) out[step.first_output].encoding = to_text(*step.encoding);
  }
  return out;
}

}  // namespace hf2mlx
