// Applies the rules of a description to the tensors of a checkpoint. Nothing is read: a rule only wraps lazy tensors.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "arch/description.h"
#include "arch/registry.h"
#include "tensor/lazy.h"

namespace hf2mlx {

using TensorMap = std::map<std::string, TensorRef, std::less<>>;

// `scope` is the description's bound config (bind_config). `config` receives what `set` rules change; null inside of an include.
// Throws Error{kCorrupt} when tensors that belong together are incomplete.
void apply_rules(const Description& description, const Scope& scope, const Registry& registry, Json* config, TensorMap& tensors);

// The functions has(pattern), shape(name) and dtype(name) over `tensors`, which must outlive the result.
Scope::Function tensor_functions(const TensorMap& tensors);

// The operations that targets of rules may name, e.g. `half(-2, 0) | swap(-1, -2)`.
TensorRef apply_operation(const Expr& call, const TensorRef& tensor, const Scope& scope);
// Their names, sorted.
std::vector<std::string> operation_names();

// The vocabulary that a description's rules use, those of included families too: statements and operations, sorted, each once.
std::vector<std::string> used_operations(const Description& description, const Registry& registry);

}  // namespace hf2mlx
