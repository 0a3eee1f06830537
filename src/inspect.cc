// What a model is and how large it would become, from headers alone.
#include <map>

#include "arch/expr.h"
#include "describe.h"
#include "hf2mlx/convert.h"
#include "hub/remote_model.h"
#include "plan/planner.h"
#include "source/open_checkpoint.h"
#include "writer/config_json.h"

namespace hf2mlx {
namespace {

struct Choice {
  const char* label;
  QuantOptions options;
};

QuantOptions quantized(const char* mode) {
  QuantOptions options;
  options.quantize = true;
  options.mode = mode;
  return options;
}

std::vector<Choice> common_choices() {
  std::vector<Choice> choices{{"unquantized", {}}};
  for (const auto& [label, bits] : {std::pair{"8-bit", 8u}, {"6-bit", 6u}, {"5-bit", 5u}, {"4-bit", 4u}, {"3-bit", 3u}, {"2-bit", 2u}}) {
    choices.push_back({label, quantized("affine")});
    choices.back().options.bits = bits;
  }
  for (const char* mode : {"mxfp8", "nvfp4", "mxfp4"}) choices.push_back({mode, quantized(mode)});
  return choices;
}

void add_sizes(Inspection& out, const Checkpoint& checkpoint, const Registry& registry, const SourceOptions& source) {
  ConvertOptions options;
  options.source = source;
  const std::vector<Choice> choices = common_choices();
  std::vector<QuantOptions> variants;
  for (const Choice& choice : choices) variants.push_back(choice.options);
  const std::vector<Plan> plans = make_plans(checkpoint, registry, options, variants);
  out.architecture = plans[0].architecture;
  out.parameters = plans[0].parameters;
  for (size_t i = 0; i < plans.size(); ++i) out.sizes.push_back({choices[i].label, plans[i].output_bytes, plans[i].bits_per_weight()});
}

void add_tensors(Inspection& out, const Checkpoint& checkpoint) {
  std::map<std::string, uint64_t> bytes;
  for (const StoredTensor& t : checkpoint.tensors) {
    bytes[std::string(name_of(t.dtype))] += t.size_bytes;
    out.tensors.push_back(
        {t.name, std::string(name_of(t.dtype)), t.shape, std::filesystem::path(t.file->name()).filename().string(), t.size_bytes});
  }
  out.dtypes.assign(bytes.begin(), bytes.end());
}

}  // namespace

Inspection inspect(const SourceOptions& options) {
  const std::unique_ptr<RemoteModel> remote = find_remote_model(options, nullptr);
  Checkpoint checkpoint = remote ? open_checkpoint(remote->location(), *remote) : open_checkpoint(options);
  checkpoint.config = merge_generation_config(std::move(checkpoint.config), checkpoint.generation_config);
  Inspection out;
  out.model = display_name(checkpoint);
  out.model_type = to_text(checkpoint.config.value("model_type", Json("")));
  out.quantization = source_quantization(checkpoint);
  out.source = remote ? remote->place() : checkpoint.folder;
  out.source_bytes = checkpoint.weight_bytes;
  out.notes = checkpoint.notes;
  add_tensors(out, checkpoint);
  try {
    add_sizes(out, checkpoint, Registry(options.arch_dir), options);
  } catch (const Error& e) {
    out.why_not = e.what();
    for (const StoredTensor& t : checkpoint.tensors) out.parameters += element_count(t.shape);
  }
  if (remote) out.received_bytes = remote->received_bytes();
  return out;
}

}  // namespace hf2mlx
