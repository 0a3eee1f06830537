// The sections of a description other than its modules and rules.
#include "arch/description.h"

#include <algorithm>

#include "arch/lines.h"
#include "arch/parse_sections.h"
#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

// keeps_vision: a vision tower in the output brings vision_config along. decodes_fp8: its rules decode fp8 themselves and mlx_lm leaves the
// source's quantization_config in the output. keeps_packed: what is packed means nothing without the model's own code, and so is never
// decoded. keeps_ternary: its layers hold BitNet's codes, whatever config.json says. decodes_int4, decodes_mxfp4, decodes_nvfp4: its rules
// read these packed forms themselves.
constexpr std::string_view kKnownFlags[] = {"decodes_fp8",  "decodes_int4",  "decodes_mxfp4", "decodes_nvfp4",
                                            "keeps_packed", "keeps_ternary", "keeps_vision"};

void parse_config_line(Description& d, const Line& line) {
  Words words(line.text);
  ConfigStatement s{ConfigStatement::Kind::kRequired, line.number, {}, nullptr, {}, {}};
  if (words.take("require")) {
    s.kind = ConfigStatement::Kind::kRequire;
    s.expr = parse_expr_prefix(words.rest());
    s.message = unquote(words.rest());
  } else if (words.take("from")) {
    s.kind = ConfigStatement::Kind::kFrom;
    s.expr = parse_expr(words.rest());
  } else if (words.take("needs")) {
    s.kind = ConfigStatement::Kind::kNeeds;
    if (words.empty()) throw Error(ErrorCode::kInternal, "expected needs KEY ...");
    while (!words.empty()) s.keys.emplace_back(words.next());
  } else if (words.take("unfold")) {
    s.kind = ConfigStatement::Kind::kUnfold;
    s.name = words.next();
    if (!words.take("->") || words.empty()) throw Error(ErrorCode::kInternal, "expected unfold PATH -> KEY ...");
    while (!words.empty()) s.keys.emplace_back(words.next());
  } else {
    if (words.take("let")) s.kind = ConfigStatement::Kind::kLet;
    if (words.take("set")) s.kind = ConfigStatement::Kind::kSet;
    s.name = words.next();
    if (words.take("=")) {
      if (s.kind == ConfigStatement::Kind::kRequired) s.kind = ConfigStatement::Kind::kDefault;
      s.expr = parse_expr(words.rest());
    } else if (s.kind != ConfigStatement::Kind::kRequired || !words.empty()) {
      throw Error(ErrorCode::kInternal, "expected NAME, NAME = EXPRESSION or let NAME = EXPRESSION");
    }
  }
  d.config.push_back(std::move(s));
}

void parse_quantize_line(Description& d, const Line& line) {
  Words words(line.text);
  QuantRule rule;
  while (!words.empty() && words.peek() != "->") rule.patterns.emplace_back(words.next());
  if (!words.take("->")) throw Error(ErrorCode::kInternal, "expected PATTERN -> keep | default | group_size=N bits=N");
  rule.action = QuantRule::Action::kParameters;
  if (words.take("keep"))
    rule.action = QuantRule::Action::kKeep;
  else if (words.take("default"))
    rule.action = QuantRule::Action::kDefault;
  rule.parameters = parse_options(words);
  if (words.take("where"))
    rule.where = parse_expr(words.rest());
  else if (!words.empty())
    throw Error(ErrorCode::kInternal, "did not expect '" + std::string(words.rest()) + "'");
  d.quantize.push_back(std::move(rule));
}

void parse_cast_line(Description& d, const Line& line) {
  Words words(line.text);
  if (!words.take("keep")) throw Error(ErrorCode::kInternal, "expected keep PATTERN ...");
  while (!words.empty()) d.cast_keep.emplace_back(words.next());
}

void parse_gguf_line(Description& d, const Line& line) {
  Words words(line.text);
  GgufRule rule;
  while (!words.empty() && words.peek() != "->") rule.patterns.emplace_back(words.next());
  if (!words.take("->") || words.empty()) throw Error(ErrorCode::kInternal, "expected PATTERN ... -> NAME ... or none");
  if (!words.take("none")) {
    while (!words.empty()) rule.names.emplace_back(words.next());
  }
  d.gguf.push_back(std::move(rule));
}

void parse_block(Description& d, Words& words, const Line& line) {
  Block block;
  const std::string name(words.next());
  while (!words.empty()) block.parameters.emplace_back(words.next());
  block.body = parse_modules(line.children);
  d.blocks[name] = std::move(block);
}

void parse_types(Description& d, Words& words) {
  while (!words.empty()) {
    ModelType type{std::string(words.next()), {}};
    if (words.take("when")) type.architecture = words.next();
    d.types.push_back(std::move(type));
  }
}

void parse_section(Description& d, const Line& line) {
  Words words(line.text);
  const std::string section(words.next());
  d.sections[section] = line.number;
  auto each = [&](auto parse) {
    for (const Line& child : line.children) at_line(child, [&] { parse(d, child); });
  };
  if (section == "summary")
    d.summary = unquote(words.rest());
  else if (section == "base")
    d.base = words.next();
  else if (section == "types")
    parse_types(d, words);
  else if (section == "flags")
    while (!words.empty()) d.flags.emplace_back(words.next());
  else if (section == "layers")
    d.layers = parse_expr(words.rest());
  else if (section == "config")
    each(parse_config_line);
  else if (section == "block")
    parse_block(d, words, line);
  else if (section == "modules")
    d.modules = parse_modules(line.children);
  else if (section == "rules")
    d.rules = parse_rules(line.children);
  else if (section == "quantize")
    each(parse_quantize_line);
  else if (section == "cast")
    each(parse_cast_line);
  else if (section == "gguf")
    each(parse_gguf_line);
  else
    throw Error(ErrorCode::kInternal, "unknown section '" + section + "'");
}

void check(const Description& d) {
  for (const std::string& flag : d.flags) {
    if (std::find(std::begin(kKnownFlags), std::end(kKnownFlags), flag) == std::end(kKnownFlags)) {
      throw Error(ErrorCode::kInternal, d.name + ".arch: unknown flag '" + flag + "'");
    }
  }
}

}  // namespace

bool Description::has_flag(std::string_view flag) const { return std::find(flags.begin(), flags.end(), flag) != flags.end(); }

std::string_view name_of(Role role) noexcept {
  constexpr std::string_view kNames[] = {"linear", "embedding", "switch", "multilinear", "norm", "layernorm", "conv", "param"};
  return kNames[static_cast<size_t>(role)];
}

std::vector<std::string> gguf_names(const Description& description, std::string_view module_path) {
  for (const GgufRule& rule : description.gguf) {
    for (const Pattern& pattern : rule.patterns) {
      Scope captures;
      if (!pattern.match(module_path, captures)) continue;
      std::vector<std::string> names;
      for (const Template& name : rule.names) names.push_back(name.expand(captures) + ".weight");
      return names;
    }
  }
  return {};
}

Description parse_description(std::string name, std::string_view text) {
  Description d;
  d.name = std::move(name);
  try {
    for (const Line& line : parse_lines(d.name, text)) at_line(line, [&] { parse_section(d, line); });
  } catch (const LineError& e) {
    throw Error(ErrorCode::kInternal, d.name + ".arch:" + std::to_string(e.line) + ": " + e.what());
  }
  if (d.types.empty()) d.types.push_back({d.name, {}});
  check(d);
  return d;
}

}  // namespace hf2mlx
