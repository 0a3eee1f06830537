// The parser of expr.h: precedence climbing over a one-token look-ahead.
#include <cctype>
#include <charconv>

#include "arch/expr.h"
#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

struct Operator {
  std::string_view text;
  int level;  // binds tighter the higher
};

// Longest first, so that a prefix of another operator does not win.
constexpr Operator kOperators[] = {
    {"not in", 4}, {"or", 2}, {"and", 3}, {"in", 4}, {"==", 4}, {"!=", 4}, {"<=", 4}, {">=", 4}, {"??", 1},
    {"**", 8},     {"//", 6}, {"<", 4},   {">", 4},  {"+", 5},  {"-", 5},  {"*", 6},  {"/", 6},  {"%", 6},
};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::shared_ptr<Expr> make(Expr::Kind kind, std::string text, std::vector<ExprRef> args = {}) {
  auto e = std::make_shared<Expr>();
  e->kind = kind;
  e->text = std::move(text);
  e->args = std::move(args);
  return e;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text), whole_(text) {}

  ExprRef conditional() {
    ExprRef value = binary(1);
    const std::string_view before_if = rest_;
    if (!take("if")) return value;
    ExprRef condition = binary(1);
    if (!take("else")) {
      // `x if c` without else belongs to the statement around the expression.
      rest_ = before_if;
      return value;
    }
    return make(Expr::Kind::kConditional, "if", {condition, value, conditional()});
  }

  std::string_view rest() {
    skip();
    return rest_;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::kInternal,
                "expression '" + std::string(whole_) + "': " + what + " at '" + std::string(rest_.substr(0, 20)) + "'");
  }

 private:
  void skip() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front()))) rest_.remove_prefix(1);
  }

  bool at(std::string_view token) {
    skip();
    if (!rest_.starts_with(token)) return false;
    return !is_word(token.back()) || rest_.size() == token.size() || !is_word(rest_[token.size()]);
  }

  bool take(std::string_view token) {
    if (!at(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  void expect(std::string_view token) {
    if (!take(token)) fail("expected '" + std::string(token) + "'");
  }

  const Operator* next_operator() {
    if (at("->")) return nullptr;  // the arrow of the statement around the expression
    for (const Operator& op : kOperators) {
      if (at(op.text)) return &op;
    }
    return nullptr;
  }

  ExprRef binary(int level) {
    ExprRef left = unary();
    for (const Operator* op = next_operator(); op && op->level >= level; op = next_operator()) {
      rest_.remove_prefix(op->text.size());
      // ** groups to the right, the others to the left.
      ExprRef right = binary(op->text == "**" ? op->level : op->level + 1);
      left = make(Expr::Kind::kBinary, std::string(op->text), {left, right});
    }
    return left;
  }

  ExprRef unary() {
    if (take("not")) return make(Expr::Kind::kUnary, "not", {binary(4)});
    if (take("-")) return make(Expr::Kind::kUnary, "-", {binary(7)});
    return postfix(primary());
  }

  ExprRef postfix(ExprRef e) {
    while (true) {
      // A bracket after a space begins the next part of a statement, not an index.
      if (rest_.starts_with("[")) {
        rest_.remove_prefix(1);
        e = make(Expr::Kind::kIndex, "[]", {e, conditional()});
        expect("]");
      } else if (rest_.starts_with(".") && rest_.size() > 1 && is_word(rest_[1])) {
        rest_.remove_prefix(1);
        e = make(Expr::Kind::kMember, word(), {e});
      } else {
        return e;
      }
    }
  }

  std::string word() {
    size_t n = 0;
    while (n < rest_.size() && is_word(rest_[n])) ++n;
    std::string w(rest_.substr(0, n));
    rest_.remove_prefix(n);
    return w;
  }

  std::vector<ExprRef> list(std::string_view close) {
    std::vector<ExprRef> items;
    while (!take(close)) {
      items.push_back(conditional());
      if (!at(close)) expect(",");
    }
    return items;
  }

  ExprRef literal(Json value) {
    auto e = make(Expr::Kind::kLiteral, {});
    e->value = std::move(value);
    return e;
  }

  ExprRef string(char quote) {
    size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) fail("string without end");
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return literal(std::move(text));
  }

  ExprRef number() {
    size_t n = 0;
    while (n < rest_.size() && (is_word(rest_[n]) || rest_[n] == '.' || ((rest_[n] == '-' || rest_[n] == '+') && rest_[n - 1] == 'e'))) ++n;
    Json value = Json::parse(rest_.substr(0, n), nullptr, false);
    if (!value.is_number()) fail("not a number");
    rest_.remove_prefix(n);
    return literal(value.is_number_float() ? Json(value.get<double>()) : Json(value.get<int64_t>()));
  }

  ExprRef primary() {
    skip();
    if (rest_.empty()) fail("expression expected");
    char c = rest_.front();
    if (take("(")) {
      ExprRef e = conditional();
      expect(")");
      return e;
    }
    if (take("[")) return make(Expr::Kind::kList, "[]", list("]"));
    if (c == '"' || c == '\'') return string(c);
    if (std::isdigit(static_cast<unsigned char>(c))) return number();
    if (!is_word(c)) fail("expression expected");
    return named(word());
  }

  ExprRef named(const std::string& name) {
    if (name == "null") return literal(nullptr);
    if (name == "true") return literal(true);
    if (name == "false") return literal(false);
    if (rest_.starts_with("(")) {
      rest_.remove_prefix(1);
      return make(Expr::Kind::kCall, name, list(")"));
    }
    return make(Expr::Kind::kName, name);
  }

  std::string_view rest_;
  std::string_view whole_;
};

}  // namespace

ExprRef parse_expr(std::string_view text) {
  Parser parser(text);
  ExprRef e = parser.conditional();
  if (!parser.rest().empty()) parser.fail("end expected");
  return e;
}

ExprRef parse_expr_prefix(std::string_view& text) {
  Parser parser(text);
  ExprRef e = parser.conditional();
  text = parser.rest();
  return e;
}

Template::Template(std::string_view text) : text_(text) {
  while (!text.empty()) {
    size_t open = text.find('{');
    if (open == std::string_view::npos) {
      parts_.emplace_back(text, nullptr);
      return;
    }
    size_t close = text.find('}', open);
    if (close == std::string_view::npos) throw Error(ErrorCode::kInternal, "'" + text_ + "': { without }");
    parts_.emplace_back(text.substr(0, open), parse_expr(text.substr(open + 1, close - open - 1)));
    text.remove_prefix(close + 1);
  }
}

std::string Template::expand(const Scope& scope) const {
  std::string out;
  for (const auto& [literal, expr] : parts_) {
    out += literal;
    if (expr) out += to_text(expr->eval(scope));
  }
  return out;
}

}  // namespace hf2mlx
