#include "arch/rules.h"

#include <algorithm>
#include <set>

#include "arch/model.h"
#include "arch/split_heads.h"
#include "hf2mlx/error.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

using Kind = RuleStatement::Kind;

Json shape_json(const Shape& shape) {
  Json out = Json::array();
  for (uint64_t n : shape) out.push_back(static_cast<int64_t>(n));
  return out;
}

// The variable `it` of conditions and operations.
Json about(const std::string& name, const LazyTensor& tensor) {
  const Shape& shape = tensor.shape();
  return {{"name", name}, {"shape", shape_json(shape)}, {"ndim", shape.size()}, {"dtype", name_of(tensor.dtype())}};
}

// What rules may ask about the tensors: has(pattern), shape(name), dtype(name).
bool tensor_function(const TensorMap& tensors, std::string_view name, const std::vector<Json>& args, Json& result) {
  if (name == "has") {
    const std::string& text = args.at(0).get_ref<const std::string&>();
    if (text.find_first_of("*{") == std::string::npos) {  // asked for each tensor of many, so not worth a walk over all
      result = tensors.count(text) > 0;
      return true;
    }
    const Pattern pattern(text);
    result = std::any_of(tensors.begin(), tensors.end(), [&](const auto& entry) { return pattern.matches(entry.first); });
    return true;
  }
  if (name != "shape" && name != "dtype") return false;
  const auto it = tensors.find(args.at(0).get<std::string>());
  if (it == tensors.end()) {
    result = Json();
  } else if (name == "shape") {
    result = shape_json(it->second->shape());
  } else {
    result = std::string(name_of(it->second->dtype()));
  }
  return true;
}

// Whether an expression asks for `it`, which costs more to make than the rest of a match.
bool asks_for_it(const ExprRef& e) {
  return e && ((e->kind == Expr::Kind::kName && e->text == "it") || std::any_of(e->args.begin(), e->args.end(), asks_for_it));
}

class RuleRunner {
 public:
  RuleRunner(const Description& d, const Registry& registry, Json* config, TensorMap& tensors)
      : description_(d), registry_(registry), config_(config), tensors_(tensors) {}

  // False when a `stop` was reached.
  bool run(const std::vector<RuleStatement>& statements, Scope& scope) {
    for (const RuleStatement& s : statements) {
      try {
        if (!run_one(s, scope)) return false;
      } catch (const Error& e) {
        if (e.code() != ErrorCode::kInternal || std::string(e.what()).find(".arch:") != std::string::npos) throw;
        throw Error(ErrorCode::kInternal, description_.name + ".arch:" + std::to_string(s.line) + ": " + e.what());
      }
    }
    return true;
  }

 private:
  bool run_one(const RuleStatement& s, Scope& scope) {
    switch (s.kind) {
      case Kind::kDrop:
        drop(s, scope);
        break;
      case Kind::kKeep:
        keep(s, scope);
        break;
      case Kind::kRename:
      case Kind::kSplit:
      case Kind::kCopy:
        move(s, scope);
        break;
      case Kind::kStack:
        stack_tensors(s, scope);
        break;
      case Kind::kConcat:
        concat_tensors(s, scope);
        break;
      case Kind::kFp8Blocks:
        fp8_blocks(s, scope);
        break;
      case Kind::kSplitHeads:
        heads(s, scope);
        break;
      case Kind::kIf:
        return branch(s, scope);
      case Kind::kFor:
        return loop(s, scope);
      case Kind::kStop:
        return false;
      case Kind::kLet:
        scope.set(s.name, s.expr->eval(scope));
        break;
      case Kind::kSet:
        set_config(s, scope);
        break;
      case Kind::kInclude:
        include(s, scope);
        break;
      case Kind::kRequire:
        if (!truthy(s.expr->eval(scope)))
          throw Error(ErrorCode::kUnsupported, "checkpoint: " + s.name + " (architecture " + description_.name + ")");
        break;
    }
    return true;
  }

  bool branch(const RuleStatement& s, const Scope& scope) {
    Scope inner(&scope);
    return run(truthy(s.expr->eval(scope)) ? s.body : s.otherwise, inner);
  }

  bool loop(const RuleStatement& s, const Scope& scope) {
    for (const Json& item : loop_items(s.expr->eval(scope))) {
      Scope inner(&scope);
      inner.set(s.name, item);
      if (!run(s.body, inner)) return false;
    }
    return true;
  }

  // The tensors that the pattern and `where` admit. Gathered first, so that what is done to them may change the map.
  std::vector<std::string> matching(const RuleStatement& s, const Pattern& pattern, const Scope& scope) const {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : tensors_) {
      if (pattern.matches(name) && (!s.where || admits(s, pattern, scope, name, *tensor))) names.push_back(name);
    }
    return names;
  }

  static bool admits(const RuleStatement& s, const Pattern& pattern, const Scope& scope, const std::string& name,
                     const LazyTensor& tensor) {
    Scope inner(&scope);
    pattern.match(name, inner);
    if (asks_for_it(s.where)) inner.set("it", about(name, tensor));
    return truthy(s.where->eval(inner));
  }

  // Calls f(name, scope with captures, and `it` where arguments may ask for it) for each of them that is still there.
  template <class F>
  void each(const RuleStatement& s, const Scope& scope, F&& f) {
    for (const std::string& name : matching(s, s.patterns[0], scope)) {
      const auto it = tensors_.find(name);
      if (it == tensors_.end()) continue;  // taken as another's part
      Scope inner(&scope);
      s.patterns[0].match(name, inner);
      if (std::any_of(s.args.begin(), s.args.end(), asks_for_it)) inner.set("it", about(name, *it->second));
      f(name, inner);
    }
  }

  void drop(const RuleStatement& s, const Scope& scope) {
    for (const Pattern& pattern : s.patterns) {
      for (const std::string& name : matching(s, pattern, scope)) tensors_.erase(name);
    }
  }

  void keep(const RuleStatement& s, const Scope& scope) {
    std::set<std::string> kept;
    for (const Pattern& pattern : s.patterns) {
      for (std::string& name : matching(s, pattern, scope)) kept.insert(std::move(name));
    }
    std::erase_if(tensors_, [&](const auto& entry) { return !kept.count(entry.first); });
  }

  TensorRef take(const std::string& name) {
    const auto it = tensors_.find(name);
    if (it == tensors_.end()) throw Error(ErrorCode::kCorrupt, "checkpoint: tensor " + name + " is missing, which others need");
    TensorRef tensor = it->second;
    tensors_.erase(it);
    return tensor;
  }

  void put(const RuleTarget& target, TensorRef tensor, const Scope& scope) {
    const std::string name = target.name.expand(scope);
    for (const ExprRef& operation : target.operations) {
      try {
        tensor = apply_operation(*operation, tensor, scope);
      } catch (const Error& e) {
        throw Error(e.code(), name + ": " + e.what(), e.hint());
      }
    }
    tensors_[name] = std::move(tensor);
  }

  void move(const RuleStatement& s, const Scope& scope) {
    // Two phases, so that a rename never reads what the same rule has written.
    std::vector<std::pair<std::string, TensorRef>> taken;
    for (std::string& name : matching(s, s.patterns[0], scope)) {
      const TensorRef tensor = tensors_.find(name)->second;
      taken.emplace_back(std::move(name), tensor);
    }
    if (s.kind != Kind::kCopy) {
      for (const auto& [name, tensor] : taken) tensors_.erase(name);
    }
    for (const auto& [name, tensor] : taken) {
      Scope inner(&scope);
      s.patterns[0].match(name, inner);
      inner.set("it", about(name, *tensor));
      for (const RuleTarget& target : s.targets) put(target, tensor, inner);
    }
  }

  // Groups by every capture but the stack index; each group becomes one tensor.
  void stack_tensors(const RuleStatement& s, const Scope& scope) {
    const Pattern& pattern = s.patterns[0];
    const auto& names = pattern.capture_names();
    const auto index = static_cast<size_t>(std::find(names.begin(), names.end(), s.name) - names.begin());
    if (index == names.size()) throw Error(ErrorCode::kInternal, "the pattern has no {" + s.name + "}");
    std::map<std::vector<std::string>, std::map<int64_t, std::string>> groups;
    for (const std::string& name : matching(s, pattern, scope)) {
      std::vector<std::string_view> views;
      pattern.match(name, views);
      std::vector<std::string> key(views.begin(), views.end());
      const int64_t i = std::stoll(key[index]);
      key[index].clear();
      groups[key][i] = name;
    }
    for (const auto& [key, members] : groups) stack_group(s, scope, key, members);
  }

  void stack_group(const RuleStatement& s, const Scope& scope, const std::vector<std::string>& key,
                   const std::map<int64_t, std::string>& members) {
    Scope inner(&scope);
    const auto& names = s.patterns[0].capture_names();
    for (size_t i = 0; i < names.size(); ++i) {
      if (!key[i].empty()) inner.set(names[i], capture_value(names[i], key[i]));
    }
    const int64_t count = s.expr ? to_int(s.expr->eval(inner)) : members.rbegin()->first + 1;
    std::vector<TensorRef> parts;
    if (count <= 0) throw Error(ErrorCode::kCorrupt, "config.json: no experts stated, but " + members.begin()->second + " is there");
    for (int64_t i = 0; i < count; ++i) {
      const auto member = members.find(i);
      if (member == members.end()) {
        throw Error(
            ErrorCode::kCorrupt,
            "checkpoint: expert " + std::to_string(i) + " of " + std::to_string(count) + " is missing beside " + members.begin()->second,
            "the checkpoint is incomplete, or config.json states another number of experts");
      }
      parts.push_back(take(member->second));
      if (parts.back()->shape() != parts[0]->shape()) {
        throw Error(ErrorCode::kCorrupt, member->second + ": " + to_string(parts.back()->shape()) + " found where its siblings are " +
                                             to_string(parts[0]->shape()));
      }
    }
    put(s.targets[0], ops::stack(parts), inner);
  }

  void concat_tensors(const RuleStatement& s, const Scope& scope) {
    each(s, scope, [&](const std::string& name, const Scope& inner) {
      std::vector<std::string> names{name};
      for (const Template& other : s.names) names.push_back(other.expand(inner));
      for (const std::string& n : names) {
        if (!tensors_.count(n)) return;
      }
      std::vector<TensorRef> parts;
      for (const std::string& n : names) parts.push_back(take(n));
      put(s.targets[0], ops::concat(parts, s.expr ? static_cast<int>(to_int(s.expr->eval(inner))) : 0), inner);
    });
  }

  void fp8_blocks(const RuleStatement& s, const Scope& scope) {
    each(s, scope, [&](const std::string& name, const Scope& inner) {
      const std::string scale_name = s.names[0].expand(inner);
      if (!tensors_.count(scale_name)) return;
      const TensorRef weight = take(name);
      const TensorRef scales = take(scale_name);
      uint64_t block[2] = {128, 128};
      for (size_t i = 0; i < s.args.size(); ++i) block[i] = static_cast<uint64_t>(to_int(s.args[i]->eval(inner)));
      tensors_[name] = ops::fp8_dequant(weight, scales, block[0], block[1], Dtype::kBF16);
    });
  }

  void heads(const RuleStatement& s, const Scope& scope) {
    each(s, scope, [&](const std::string& name, const Scope& inner) {
      const std::string base = name.substr(0, name.rfind(".weight"));
      HeadSplit split{};
      split.heads = static_cast<uint64_t>(to_int(s.args[0]->eval(inner)));
      split.nope = static_cast<uint64_t>(to_int(s.args[1]->eval(inner)));
      split.rank = static_cast<uint64_t>(to_int(s.args[2]->eval(inner)));
      split_heads(split, base, s.names[0].expand(inner), s.names[1].expand(inner), tensors_);
    });
  }

  void set_config(const RuleStatement& s, const Scope& scope) {
    if (config_) set_config_path(*config_, s.name, s.expr->eval(scope));
  }

  // Runs another family's rules on the tensors below a prefix.
  void include(const RuleStatement& s, const Scope& scope) {
    const Description& other = registry_.family(s.name);
    std::string prefix = s.prefix.expand(scope);
    if (!prefix.empty()) prefix += '.';
    TensorMap below;
    for (auto it = tensors_.lower_bound(prefix); it != tensors_.end() && it->first.starts_with(prefix);) {
      below.emplace(it->first.substr(prefix.size()), it->second);
      it = tensors_.erase(it);
    }
    Json config = s.expr ? s.expr->eval(scope) : *scope.find("config");
    const Scope bound = bind_config(other, config);
    apply_rules(other, bound, registry_, nullptr, below);
    for (auto& [name, tensor] : below) tensors_[prefix + name] = std::move(tensor);
  }

  const Description& description_;
  const Registry& registry_;
  Json* config_;
  TensorMap& tensors_;
};

void collect(const std::vector<RuleStatement>& statements, const Registry& registry, std::set<std::string>& names) {
  constexpr std::string_view kNames[] = {"drop", "keep", "rename", "copy", "split", "stack", "concat", "fp8_blocks", "split_heads"};
  for (const RuleStatement& s : statements) {
    if (static_cast<size_t>(s.kind) < std::size(kNames)) names.emplace(kNames[static_cast<size_t>(s.kind)]);
    for (const RuleTarget& target : s.targets) {
      for (const ExprRef& operation : target.operations) names.insert(operation->text);
    }
    if (s.kind == Kind::kInclude) collect(registry.family(s.name).rules, registry, names);
    collect(s.body, registry, names);
    collect(s.otherwise, registry, names);
  }
}

}  // namespace

Scope::Function tensor_functions(const TensorMap& tensors) {
  return [&tensors](std::string_view name, const std::vector<Json>& args, Json& result) {
    return tensor_function(tensors, name, args, result);
  };
}

void apply_rules(const Description& d, const Scope& scope, const Registry& registry, Json* config, TensorMap& tensors) {
  Scope inner(&scope);
  inner.set_function(tensor_functions(tensors));
  RuleRunner(d, registry, config, tensors).run(d.rules, inner);
}

std::vector<std::string> used_operations(const Description& description, const Registry& registry) {
  std::set<std::string> names;
  collect(description.rules, registry, names);
  return {names.begin(), names.end()};
}

}  // namespace hf2mlx
