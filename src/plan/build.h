// From a model whose tensors are known to the steps and outputs of a plan: what is cast, kept, decoded or encoded.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "arch/description.h"
#include "arch/rules.h"
#include "base/json.h"
#include "hf2mlx/options.h"
#include "plan/loader.h"
#include "plan/plan.h"

namespace hf2mlx {

// A model as mlx_lm has it in memory before it quantizes: the source's tensors have been through the rules and match its modules.
struct LoadedModel {
  const Description& description;
  Json config;
  Scope scope;
  TensorMap tensors;
  std::vector<LoadedModule> modules;
  std::vector<std::string> notes = {};  // what the user should know of the source
  std::string decoded_from = {};        // how the source was quantized, where its weights are floats now
};

// Computed tensors that the plans of several variants of one model have in common, by what they are.
using SharedValues = std::unordered_map<std::string, TensorRef>;

// Fills steps, outputs, figures, config and notes; files and offsets are still to be laid out. `shared` may be null.
void build_plan(Plan& plan, const LoadedModel& model, const QuantOptions& options, SharedValues* shared);

}  // namespace hf2mlx
