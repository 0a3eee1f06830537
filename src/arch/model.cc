#include "arch/model.h"

#include <set>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

[[noreturn]] void refuse(const Description& d, const std::string& message) {
  throw Error(ErrorCode::kUnsupported, "config.json: " + message + " (architecture " + d.name + ")");
}

Error missing(const std::string& key, const std::string& why) {
  return Error(ErrorCode::kCorrupt, "config.json: '" + key + "' is missing", why + "; take config.json from the model's own repository");
}

Json config_value(const ConfigStatement& s, const Scope& scope, const Json& config) {
  const bool stored = s.kind != ConfigStatement::Kind::kLet && config.contains(s.name);
  if (stored) return config[s.name];
  if (s.expr) return s.expr->eval(scope);
  throw missing(s.name, "the architecture cannot be known without it");
}

// Keys that shape nothing, but without which the result would not load.
void check_needs(const ConfigStatement& s, const Json& config) {
  for (const std::string& key : s.keys) {
    if (!config.contains(key)) throw missing(key, "mlx-lm loads no model of this type without it");
  }
}

// Copies keys of the object at the path `s.name` to the object around it, where the first of them is missing there. rope_scaling is the
// object itself, or null where it scales nothing.
void unfold(const ConfigStatement& s, Json& config) {
  Json* around = &config;
  std::string_view path = s.name;
  for (size_t dot; (dot = path.find('.')) != std::string_view::npos; path.remove_prefix(dot + 1)) {
    const auto it = around->find(path.substr(0, dot));
    if (it == around->end() || !it->is_object()) return;
    around = &*it;
  }
  const Json object = around->value(std::string(path), Json());
  if (!object.is_object() || !object.contains(s.keys[0]) || around->contains(s.keys[0])) return;
  const Json type = object.value("rope_type", object.value("type", Json("default")));
  for (const std::string& key : s.keys) {
    if (around->contains(key)) continue;
    if (key == "rope_scaling")
      (*around)[key] = type == "default" ? Json() : object;
    else if (object.contains(key))
      (*around)[key] = object[key];
  }
}

// Walks the statements of a modules section.
class Builder {
 public:
  Builder(const Description& description, const Registry& registry, const Scope::Function& ask, std::vector<Module>& out)
      : description_(description), registry_(registry), ask_(ask), out_(out) {}

  void run_all(const Scope& scope, const std::string& prefix) {
    Scope inner(&scope);
    // An included family asks about the tensors below its own prefix.
    inner.set_function([this, prefix](std::string_view name, std::vector<Json> args, Json& result) {
      if (!args.empty() && args[0].is_string()) args[0] = prefix + args[0].get<std::string>();
      return ask_(name, args, result);
    });
    run(description_.modules, inner, prefix);
  }

 private:
  void run(const std::vector<ModuleStatement>& statements, Scope& scope, const std::string& prefix) {
    for (const ModuleStatement& s : statements) {
      try {
        run_one(s, scope, prefix);
      } catch (const Error& e) {
        if (e.code() != ErrorCode::kInternal) throw;
        // Name the innermost line only.
        const std::string what = e.what();
        if (what.find(".arch:") != std::string::npos) throw;
        throw Error(ErrorCode::kInternal, description_.name + ".arch:" + std::to_string(s.line) + ": " + what);
      }
    }
  }

  using Kind = ModuleStatement::Kind;

  void run_one(const ModuleStatement& s, Scope& scope, const std::string& prefix) {
    switch (s.kind) {
      case Kind::kModule:
        return add(s, scope, prefix);
      case Kind::kFor:
        return loop(s, scope, prefix);
      case Kind::kLet:
        return scope.set(s.name, s.expr->eval(scope));
      case Kind::kAt: {
        Scope inner(&scope);
        return run(s.body, inner, prefix + s.path.expand(scope) + ".");
      }
      case Kind::kIf: {
        Scope inner(&scope);
        return run(truthy(s.expr->eval(scope)) ? s.body : s.otherwise, inner, prefix);
      }
      case Kind::kUse:
        return use(s, scope, prefix);
      case Kind::kInclude:
        return include(s, scope, prefix);
      case Kind::kRequire:
        if (!truthy(s.expr->eval(scope))) refuse(description_, s.name);
    }
  }

  void loop(const ModuleStatement& s, const Scope& scope, const std::string& prefix) {
    for (const Json& item : loop_items(s.expr->eval(scope))) {
      Scope inner(&scope);
      inner.set(s.name, item);
      run(s.body, inner, prefix);
    }
  }

  void use(const ModuleStatement& s, const Scope& scope, const std::string& prefix) {
    const auto block = description_.blocks.find(s.name);
    if (block == description_.blocks.end()) throw Error(ErrorCode::kInternal, "no block '" + s.name + "'");
    if (s.args.size() != block->second.parameters.size()) throw Error(ErrorCode::kInternal, "block '" + s.name + "' takes other arguments");
    Scope inner(&scope);
    for (size_t i = 0; i < s.args.size(); ++i) inner.set(block->second.parameters[i], s.args[i]->eval(scope));
    run(block->second.body, inner, prefix);
  }

  void include(const ModuleStatement& s, const Scope& scope, const std::string& prefix) {
    const Description& other = registry_.family(s.name);
    Json config = s.expr ? s.expr->eval(scope) : *scope.find("config");
    const Scope bound = bind_config(other, config);
    const std::string path = s.path.expand(scope);
    Builder(other, registry_, ask_, out_).run_all(bound, prefix + path + (path.empty() ? "" : "."));
  }

  void add(const ModuleStatement& s, const Scope& scope, const std::string& prefix) {
    Module m{prefix + s.path.expand(scope), s.role, {}};
    Shape shape;
    for (const Json& n : s.expr->eval(scope)) {
      const int64_t size = to_int(n);
      if (size < 0) throw Error(ErrorCode::kCorrupt, "config.json: " + m.path + " would have a negative size");
      shape.push_back(static_cast<uint64_t>(size));
    }
    auto option = [&](const char* name, bool otherwise) {
      const auto it = s.options.find(name);
      return it == s.options.end() ? otherwise : truthy(it->second->eval(scope));
    };
    if (s.role == Role::kParam) {
      m.params.push_back({m.path, shape});
    } else {
      if (option("weight", true)) m.params.push_back({m.path + ".weight", shape});
      if (option("bias", s.role == Role::kLayerNorm)) m.params.push_back({m.path + ".bias", bias_shape(s.role, shape)});
    }
    out_.push_back(std::move(m));
  }

  static Shape bias_shape(Role role, const Shape& weight) {
    if (role == Role::kConv) return {weight.at(0)};
    if (role == Role::kLayerNorm || role == Role::kNorm) return weight;
    return Shape(weight.begin(), weight.end() - 1);
  }

  const Description& description_;
  const Registry& registry_;
  const Scope::Function& ask_;
  std::vector<Module>& out_;
};

}  // namespace

void set_config_path(Json& config, std::string_view path, Json value) {
  Json* at = &config;
  const auto enter = [&](std::string_view key) {
    if (!at->is_null() && !at->is_object())
      throw Error(ErrorCode::kCorrupt, "config.json: an object was expected above " + std::string(path) + ", found " + at->dump());
    at = &(*at)[std::string(key)];
  };
  size_t begin = 0;
  for (size_t dot; (dot = path.find('.', begin)) != std::string_view::npos; begin = dot + 1) enter(path.substr(begin, dot - begin));
  enter(path.substr(begin));
  *at = std::move(value);
}

Scope bind_config(const Description& d, Json& config) {
  if (!config.is_object()) throw Error(ErrorCode::kCorrupt, "config.json: an object was expected (architecture " + d.name + ")");
  Scope scope;
  scope.set("config", config);
  Json nested;  // the object that `from` names
  const Json* source = &config;
  for (const ConfigStatement& s : d.config) {
    try {
      if (s.kind == ConfigStatement::Kind::kRequire) {
        if (!truthy(s.expr->eval(scope))) refuse(d, s.message);
      } else if (s.kind == ConfigStatement::Kind::kSet) {
        set_config_path(config, s.name, s.expr->eval(scope));
        scope.set("config", config);
      } else if (s.kind == ConfigStatement::Kind::kUnfold) {
        unfold(s, config);
        scope.set("config", config);
      } else if (s.kind == ConfigStatement::Kind::kNeeds) {
        check_needs(s, *source);
      } else if (s.kind == ConfigStatement::Kind::kFrom) {
        nested = s.expr->eval(scope);
        if (!nested.is_object()) throw Error(ErrorCode::kCorrupt, "config.json: a nested object was expected, found " + nested.dump());
        source = &nested;
      } else {
        scope.set(s.name, config_value(s, scope, *source));
      }
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kInternal) throw;
      throw Error(ErrorCode::kInternal, d.name + ".arch:" + std::to_string(s.line) + ": " + e.what());
    }
  }
  return scope;
}

std::vector<Module> build_modules(const Description& d, const Scope& scope, const Registry& registry, const Scope::Function& ask) {
  std::vector<Module> modules;
  Builder(d, registry, ask, modules).run_all(scope, "");
  std::set<std::string_view> names;
  for (const Module& m : modules) {
    for (const Param& p : m.params) {
      if (!names.insert(p.name).second) throw Error(ErrorCode::kInternal, d.name + ".arch: " + p.name + " is declared twice");
    }
  }
  return modules;
}

int64_t layer_count(const Description& d, const Scope& scope) {
  if (d.layers) return to_int(d.layers->eval(scope));
  const Json* n = scope.find("num_hidden_layers");
  return n ? to_int(*n) : 0;
}

}  // namespace hf2mlx
