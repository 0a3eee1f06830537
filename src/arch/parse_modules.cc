// The `modules` section: the tree of a model's parameters.
#include <cctype>
#include <optional>

#include "arch/parse_sections.h"

namespace hf2mlx {
namespace {

using Kind = ModuleStatement::Kind;

std::optional<Role> role_from_name(std::string_view word) {
  for (int r = 0; r <= static_cast<int>(Role::kParam); ++r) {
    if (name_of(static_cast<Role>(r)) == word) return static_cast<Role>(r);
  }
  return std::nullopt;
}

void parse_module(ModuleStatement& s, Words& words) {
  s.kind = Kind::kModule;
  s.path = Template(words.next());
  s.expr = parse_expr_prefix(words.rest());
  words.skip();
  if (s.expr->kind != Expr::Kind::kList) throw Error(ErrorCode::kInternal, "a shape in brackets was expected");
  s.options = parse_options(words);
}

void parse_use(ModuleStatement& s, Words& words) {
  s.kind = Kind::kUse;
  const ExprRef call = parse_expr_prefix(words.rest());
  words.skip();
  if (call->kind != Expr::Kind::kCall) throw Error(ErrorCode::kInternal, "expected use BLOCK(ARGUMENTS)");
  s.name = call->text;
  s.args = call->args;
}

void parse_include(ModuleStatement& s, Words& words) {
  s.kind = Kind::kInclude;
  s.name = words.next();
  if (words.take("under")) s.path = Template(words.next());
  if (words.take("with")) s.expr = parse_expr_prefix(words.rest());
  words.skip();
}

void parse_keyword(ModuleStatement& s, const std::string& keyword, Words& words) {
  if (keyword == "for") {
    s.kind = Kind::kFor;
    s.name = words.next();
    if (!words.take("in")) throw Error(ErrorCode::kInternal, "expected for NAME in EXPRESSION");
    s.expr = parse_expr_prefix(words.rest());
  } else if (keyword == "let") {
    s.kind = Kind::kLet;
    s.name = words.next();
    if (!words.take("=")) throw Error(ErrorCode::kInternal, "expected let NAME = EXPRESSION");
    s.expr = parse_expr_prefix(words.rest());
  } else if (keyword == "at") {
    s.kind = Kind::kAt;
    s.path = Template(words.next());
  } else if (keyword == "if" || keyword == "elif") {
    s.kind = Kind::kIf;
    s.expr = parse_expr_prefix(words.rest());
  } else if (keyword == "require") {
    s.kind = Kind::kRequire;
    s.expr = parse_expr_prefix(words.rest());
    s.name = unquote(words.rest());
    words.rest() = {};
  } else if (keyword == "use") {
    parse_use(s, words);
  } else if (keyword == "include") {
    parse_include(s, words);
  } else {
    throw Error(ErrorCode::kInternal, "unknown statement '" + keyword + "'");
  }
  words.skip();
}

ModuleStatement parse_statement(const Line& line) {
  ModuleStatement s;
  s.line = line.number;
  Words words(line.text);
  const std::string keyword(words.next());
  if (const auto role = role_from_name(keyword)) {
    s.role = *role;
    parse_module(s, words);
  } else {
    parse_keyword(s, keyword, words);
  }
  if (!words.empty()) throw Error(ErrorCode::kInternal, "did not expect '" + std::string(words.rest()) + "'");
  s.body = parse_modules(line.children);
  return s;
}

}  // namespace

std::string unquote(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') throw Error(ErrorCode::kInternal, "a text in quotes was expected");
  return std::string(text.substr(1, text.size() - 2));
}

std::map<std::string, ExprRef> parse_options(Words& words) {
  std::map<std::string, ExprRef> options;
  while (!words.empty()) {
    std::string_view& rest = words.rest();
    size_t n = 0;
    while (n < rest.size() && (std::isalnum(static_cast<unsigned char>(rest[n])) || rest[n] == '_')) ++n;
    if (n == 0 || n >= rest.size() || rest[n] != '=') break;
    const std::string name(rest.substr(0, n));
    rest.remove_prefix(n + 1);
    options[name] = parse_expr_prefix(rest);
    words.skip();
  }
  return options;
}

std::vector<ModuleStatement> parse_modules(const std::vector<Line>& lines) { return parse_chain(lines, parse_statement); }

}  // namespace hf2mlx
