// What a model is and how large it would become, from headers alone.
#include <map>
#include <string>
#include <vector>

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
  std::string label;
  QuantOptions options;
  std::vector<std::string> words;  // that ask for it
};

Choice with_mode(const std::string& mode) {
  Choice choice{mode, {}, {"-q", "--q-mode", mode}};
  choice.options.quantize = true;
  choice.options.mode = mode;
  return choice;
}

Choice with_bits(uint32_t bits) {
  Choice choice{std::to_string(bits) + "-bit", {}, {"-q", "--q-bits", std::to_string(bits)}};
  choice.options.quantize = true;
  choice.options.bits = bits;
  return choice;
}

std::vector<Choice> common_choices() {
  std::vector<Choice> choices{{"unquantized", {}, {}}};
  for (const uint32_t bits : {8, 6, 5, 4, 3, 2}) choices.push_back(with_bits(bits));
  for (const char* mode : {"mxfp8", "nvfp4", "mxfp4"}) choices.push_back(with_mode(mode));
  return choices;
}

// Of a model whose layers are quantized already, and stay so unless asked.
std::vector<Choice> choices_of_quantized() {
  std::vector<Choice> choices = common_choices();
  choices[0].label = "as it is";
  for (auto choice = choices.begin() + 1; choice != choices.end(); ++choice) {
    choice->options.requantize = true;
    choice->words.push_back("--requantize");
  }
  Choice dequantized{"dequantized", {}, {"-d"}};
  dequantized.options.dequantize = true;
  choices.insert(choices.begin() + 1, std::move(dequantized));
  return choices;
}

std::vector<Plan> plans_of(const std::vector<Choice>& choices, const Checkpoint& checkpoint, const Registry& registry,
                           const SourceOptions& source) {
  ConvertOptions options;
  options.source = source;
  std::vector<QuantOptions> variants;
  for (const Choice& choice : choices) variants.push_back(choice.options);
  return make_plans(checkpoint, registry, options, variants);
}

void add_size(Inspection& out, const Choice& choice, const Plan& plan) {
  out.sizes.push_back({choice.label, plan.output_bytes, plan.bits_per_weight(), choice.words});
}

void add_sizes(Inspection& out, const Checkpoint& checkpoint, const Registry& registry, const SourceOptions& source) {
  const auto plans = [&](const std::vector<Choice>& choices) { return plans_of(choices, checkpoint, registry, source); };
  const auto add = [&](const std::vector<Choice>& choices) {
    const std::vector<Plan> planned = plans(choices);
    for (size_t i = 0; i < choices.size(); ++i) add_size(out, choices[i], planned[i]);
  };
  const Plan first = plans({{}}).front();
  out.architecture = first.architecture;
  out.parameters = first.parameters;
  const bool is_quantized = first.quantized_layers > 0;
  std::vector<Choice> choices = is_quantized ? choices_of_quantized() : common_choices();
  add_size(out, choices.front(), first);
  choices.erase(choices.begin());
  if (!is_quantized) return add(choices);
  try {
    return add(choices);
  } catch (const Error&) {
    // Some are packed in a way that only the model itself can undo; what can be had is seen one by one.
  }
  for (const Choice& choice : choices) {
    try {
      add({choice});
    } catch (const Error&) {
    }
  }
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
