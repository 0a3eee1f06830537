// A description bound to a config.json: which parameters the model has, and what its rules may know.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "arch/description.h"
#include "arch/registry.h"
#include "base/json.h"
#include "tensor/shape.h"

namespace hf2mlx {

struct Param {
  std::string name;  // full
  Shape shape;
};

// One module of the MLX model. `params` holds the weight first, then the bias where there is one.
struct Module {
  std::string path;
  Role role;
  std::vector<Param> params;
};

// The variables of a description's config section. `config` is the object that the description reads; its `set` statements change it.
// Throws Error{kCorrupt} on a missing key, Error{kUnsupported} where a `require` does not hold.
Scope bind_config(const Description& description, Json& config);

// Sets config["a"]["b"] for the path a.b, making objects on the way.
void set_config_path(Json& config, std::string_view path, Json value);

// Every module in the order of the description. `registry` resolves includes; `ask` answers what conditions ask about the tensors after the
// rules (tensor_functions in rules.h).
std::vector<Module> build_modules(const Description& description, const Scope& scope, const Registry& registry, const Scope::Function& ask);

// The number of layers, which mixed recipes count by.
int64_t layer_count(const Description& description, const Scope& scope);

}  // namespace hf2mlx
