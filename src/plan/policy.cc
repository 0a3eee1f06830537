#include "plan/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "hf2mlx/error.h"
#include "plan/loader.h"
#include "quant/lattice.h"

namespace hf2mlx {
namespace {

struct Recipe {
  std::string_view name;
  uint32_t low_bits;
  uint32_t high_bits;
};
constexpr Recipe kRecipes[] = {{"mixed_2_6", 2, 6}, {"mixed_3_4", 3, 4}, {"mixed_3_6", 3, 6}, {"mixed_4_6", 4, 6}};

const Recipe& recipe_named(const std::string& name) {
  for (const Recipe& r : kRecipes) {
    if (r.name == name) return r;
  }
  throw Error(ErrorCode::kUsage, "--quant-predicate: '" + name + "' found, mixed_2_6, mixed_3_4, mixed_3_6 or mixed_4_6 expected");
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out{""};
  for (char c : text) {
    if (c == separator)
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

std::optional<int64_t> number(const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void require_supported(const Encoding& e, const std::string& where) {
  if (const std::string why = why_unsupported(e); !why.empty()) throw Error(ErrorCode::kUsage, where + ": " + why);
}

// What llama.cpp's lattice is: there is nothing about it to choose.
Encoding lattice_encoding(const QuantOptions& options) {
  const std::string where = "--q-lattice " + options.lattice;
  if (options.lattice != "q4_0") throw Error(ErrorCode::kUsage, "--q-lattice: '" + options.lattice + "' found, q4_0 expected");
  if (!options.fit.empty() || !options.imatrix.empty()) {
    throw Error(ErrorCode::kUsage, where + " with --q-fit or --imatrix found, the lattice settles scales and codes",
                "leave out one of them");
  }
  if (!options.recipe.empty() || options.budget.wanted()) {
    throw Error(ErrorCode::kUsage, where + " with a recipe or a target found, the lattice has 4 bits",
                "leave out one of them; --q-override settles single layers");
  }
  const bool other_bits = options.bits.value_or(0) != 0 && *options.bits != kLatticeEncoding.bits;
  const bool other_group = options.group_size.value_or(0) != 0 && *options.group_size != kLatticeEncoding.group_size;
  if (options.mode != name_of(kLatticeEncoding.mode) || other_bits || other_group) {
    throw Error(ErrorCode::kUsage, where + " with another encoding found, the lattice is affine with 4 bits in groups of 32",
                "leave out --q-mode, --q-bits and --q-group-size; --q-override settles single layers");
  }
  return kLatticeEncoding;
}

Encoding global_encoding(const QuantOptions& options) {
  if (!options.lattice.empty()) return lattice_encoding(options);
  const auto mode = quant_mode_from_name(options.mode);
  if (!mode) throw Error(ErrorCode::kUsage, "--q-mode: '" + options.mode + "' found, affine, mxfp4, nvfp4 or mxfp8 expected");
  Encoding e = default_encoding(*mode);
  // As mlx_lm has it, 0 means the default too.
  if (options.bits && *options.bits != 0) e.bits = *options.bits;
  if (options.group_size && *options.group_size != 0) e.group_size = *options.group_size;
  require_supported(e, "--q-bits, --q-group-size");
  return e;
}

}  // namespace

Encoding parse_encoding(const std::string& text, const std::string& where) {
  const std::vector<std::string> spec = split(text, ':');
  const auto mode = quant_mode_from_name(spec.size() > 2 ? spec[2] : "affine");
  const auto bits = number(spec[0]);
  const auto group = spec.size() > 1 ? number(spec[1]) : std::optional<int64_t>(64);
  if (!mode || !bits || !group || spec.size() > 3)
    throw Error(ErrorCode::kUsage, where + ": BITS[:GROUP[:MODE]] expected, found '" + text + "'");
  const Encoding e{*mode, static_cast<uint32_t>(*bits),
                   spec.size() > 1 ? static_cast<uint32_t>(*group) : default_encoding(*mode).group_size};
  require_supported(e, where);
  return e;
}

void QuantPolicy::check_options(const QuantOptions& options) {
  if (options.quantize && options.dequantize)
    throw Error(ErrorCode::kUsage, "--quantize and --dequantize found together, one of them expected");
  if (!options.recipe.empty()) recipe_named(options.recipe);
  if (!options.recipe.empty() && options.mode != "affine") {
    throw Error(ErrorCode::kUsage, "--quant-predicate " + options.recipe + " with --q-mode " + options.mode + " found, recipes are affine",
                "leave out one of the two");
  }
  if (!options.recipe.empty() && options.predicate)
    throw Error(ErrorCode::kUsage, "a recipe and a predicate found together, one of them expected");
  if (options.quantize) global_encoding(options);
  for (const std::string& candidate : options.budget.candidates) parse_encoding(candidate, "--q-candidates");
  for (const std::string& text : options.overrides) parse_override(text);
}

QuantPolicy::QuantPolicy(const QuantOptions& options, const Description& description, const Scope& scope,
                         const std::vector<std::string>& module_paths, int64_t layers, const Json& config)
    : description_(description),
      scope_(scope),
      recipe_(options.recipe),
      predicate_(options.predicate),
      global_(global_encoding(options)),
      layers_(layers),
      entry_for_each_(config.contains("quantization")) {
  if (!recipe_.empty()) locate_layers(module_paths);
  for (const std::string& text : options.overrides) overrides_.push_back(parse_override(text));
}

// PATTERN=BITS[:GROUP[:MODE]] or PATTERN=keep
QuantPolicy::Override QuantPolicy::parse_override(const std::string& text) {
  const size_t equals = text.rfind('=');
  const std::string where = "--q-override '" + text + "'";
  if (equals == std::string::npos || equals == 0)
    throw Error(ErrorCode::kUsage, where + ": PATTERN=BITS[:GROUP[:MODE]] or PATTERN=keep expected");
  Override o{Pattern(text.substr(0, equals)), text, std::nullopt, 0};
  const std::string spec = text.substr(equals + 1);
  if (spec != "keep") o.encoding = parse_encoding(spec, where);
  return o;
}

// Recipes count layers by the number in the paths of the first module called down_proj.
void QuantPolicy::locate_layers(const std::vector<std::string>& module_paths) {
  const auto down =
      std::find_if(module_paths.begin(), module_paths.end(), [](const std::string& p) { return p.find("down_proj") != std::string::npos; });
  if (down == module_paths.end()) {
    throw Error(ErrorCode::kUnsupported,
                "--quant-predicate " + recipe_ + ": the model has no down_proj, by which recipes tell layers apart",
                "use --q-bits, or --q-override for single layers");
  }
  const std::vector<std::string> parts = split(*down, '.');
  while (layer_position_ + 1 < parts.size() && !number(parts[layer_position_])) ++layer_position_;
}

Json QuantPolicy::recipe_entry(const std::string& path) const {
  const Recipe& recipe = recipe_named(recipe_);
  const std::vector<std::string> parts = split(path, '.');
  const int64_t index = layer_position_ < parts.size() ? number(parts[layer_position_]).value_or(0) : 0;
  const int64_t eighth = layers_ / 8;
  const bool important = index < eighth || index >= 7 * layers_ / 8 || (index - eighth) % 3 == 2;
  auto has = [&](const char* part) { return path.find(part) != std::string::npos; };
  const bool high = has("lm_head") || (important && (has("v_proj") || has("v_a_proj") || has("v_b_proj") || has("down_proj")));
  return json_of({QuantMode::kAffine, high ? recipe.high_bits : recipe.low_bits, global_.group_size});
}

// true, false, or the parameters that the model's own rules state.
Json QuantPolicy::model_entry(const std::string& path) const {
  for (const QuantRule& rule : description_.quantize) {
    for (const Pattern& pattern : rule.patterns) {
      Scope inner(&scope_);
      if (!pattern.match(path, inner) || (rule.where && !truthy(rule.where->eval(inner)))) continue;
      if (rule.action != QuantRule::Action::kParameters) return rule.action == QuantRule::Action::kDefault;
      Json entry = Json::object();
      for (const auto& [key, value] : rule.parameters) entry[key] = value->eval(inner);
      return entry;
    }
  }
  return true;
}

std::optional<Decision> QuantPolicy::overridden(const Module& module) {
  Override* chosen = nullptr;
  for (Override& o : overrides_) {
    if (!o.pattern.matches(module.path)) continue;
    ++o.matched;
    chosen = &o;
  }
  if (!chosen) return std::nullopt;
  if (!chosen->encoding) return Decision{};
  const uint64_t cols = cols_of(module.params[0].shape);
  if (cols % chosen->encoding->group_size != 0) {
    throw Error(ErrorCode::kUsage, fmt::format("--q-override '{}': {} has rows of {} values, which groups of {} do not divide",
                                               chosen->text, module.path, cols, chosen->encoding->group_size));
  }
  return Decision{chosen->encoding, json_of(*chosen->encoding)};
}

Decision QuantPolicy::decide_named(const Module& module) { return overridden(module).value_or(Decision{}); }

void QuantPolicy::pass_over(const std::string& path) {
  for (Override& o : overrides_) {
    if (!o.pattern.matches(path)) continue;
    ++(o.encoding ? o.passed_over : o.matched);
  }
}

namespace {

LayerInfo info_of(const Module& module) {
  return {module.path, std::string(name_of(module.role)), module.params[0].shape, module.params.size() > 1};
}

// What is stated, and no more: mlx_lm writes what a predicate returns.
Json entry_of(const LayerChoice& choice) {
  Json entry = Json::object();
  if (choice.bits) entry["bits"] = *choice.bits;
  if (choice.group_size) entry["group_size"] = *choice.group_size;
  if (choice.mode) entry["mode"] = *choice.mode;
  return entry;
}

}  // namespace

Decision QuantPolicy::decide_stated(const Module& module, const LayerChoice& choice) const {
  const std::string where = "the predicate's choice for " + module.path;
  if (choice.mode && !quant_mode_from_name(*choice.mode))
    throw Error(ErrorCode::kUsage, where + ": mode '" + *choice.mode + "' found, affine, mxfp4, nvfp4 or mxfp8 expected");
  const Json entry = entry_of(choice);
  const Encoding e = encoding_from_json(entry);
  require_supported(e, where);
  const uint64_t cols = cols_of(module.params[0].shape);
  if (cols % e.group_size != 0)
    throw Error(ErrorCode::kUsage, fmt::format("{}: rows of {} values found, which groups of {} do not divide", where, cols, e.group_size));
  return {e, entry};
}

Decision QuantPolicy::default_decision() const { return {global_, entry_for_each_ ? json_of(global_) : Json(), true}; }

Decision QuantPolicy::ask_predicate(const Module& module) {
  const LayerChoice choice = predicate_(info_of(module));
  if (choice.kind == LayerChoice::Kind::kDefault) return default_decision();
  choices_.by_path[module.path] = choice;
  return choice.kind == LayerChoice::Kind::kKeep ? Decision{} : decide_stated(module, choice);
}

Decision QuantPolicy::decide(const Module& module) {
  if (const std::optional<Decision> decision = overridden(module)) return *decision;
  const uint64_t cols = cols_of(module.params[0].shape);
  if (cols % global_.group_size != 0) {
    skipped_.push_back(module.path);
    return {};
  }
  if (predicate_) return ask_predicate(module);
  const Json entry = recipe_.empty() ? model_entry(module.path) : recipe_entry(module.path);
  if (!truthy(entry)) return {};
  if (!entry.is_object()) return default_decision();
  const Encoding e = encoding_from_json(entry);
  if (cols % e.group_size == 0) return {e, entry};
  skipped_.push_back(module.path);
  return {};
}

Json QuantPolicy::global_entry() const { return json_of(global_); }

std::vector<std::string> QuantPolicy::finish() const {
  for (const Override& o : overrides_) {
    if (o.matched != 0) continue;
    if (o.passed_over != 0) {
      throw Error(ErrorCode::kUsage, "--q-override '" + o.text + "': the layers that match are quantized in the source",
                  "--requantize encodes them anew");
    }
    throw Error(ErrorCode::kUsage, "--q-override '" + o.text + "': no layer matches", "hf2mlx convert MODEL --dry-run lists the layers");
  }
  if (skipped_.empty()) return {};
  return {fmt::format("{} layer{} not quantized, as {} rows are no multiple of the group size: {}{}", skipped_.size(),
                      skipped_.size() == 1 ? "" : "s", skipped_.size() == 1 ? "its" : "their", skipped_[0],
                      skipped_.size() > 1 ? ", ..." : "")};
}

}  // namespace hf2mlx
