// Evaluation of expressions.
#include <cmath>
#include <optional>

#include "arch/expr.h"
#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

[[noreturn]] void mismatch(const std::string& op, const Json& a, const Json& b) {
  throw Error(ErrorCode::kCorrupt, "config.json: cannot compute " + a.dump() + " " + op + " " + b.dump() + ", numbers expected",
              "a value that the architecture needs is missing or has the wrong type");
}

[[noreturn]] void too_large(const std::string& op, const Json& a, const Json& b) {
  throw Error(ErrorCode::kCorrupt, "config.json: " + a.dump() + " " + op + " " + b.dump() + " is more than any model has",
              "check the numbers in config.json");
}

// A row of a matrix has fewer.
constexpr uint64_t kMostListItems = 1 << 20;

Json repeated(const Json& list, int64_t times) {
  if (times > 0 && list.size() > kMostListItems / static_cast<uint64_t>(times)) too_large("*", list, times);
  Json out = Json::array();
  for (int64_t i = 0; i < times; ++i) out.insert(out.end(), list.begin(), list.end());
  return out;
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - ((a % b != 0) && ((a < 0) != (b < 0))); }

// Of +, -, *, // and %; nothing where the result has more than 64 bits. Requires: nothing is divided by 0.
std::optional<int64_t> whole_result(const std::string& op, int64_t x, int64_t y) {
  int64_t out = 0;
  if (op == "+") return __builtin_add_overflow(x, y, &out) ? std::nullopt : std::optional(out);
  if (op == "-") return __builtin_sub_overflow(x, y, &out) ? std::nullopt : std::optional(out);
  if (op == "*") return __builtin_mul_overflow(x, y, &out) ? std::nullopt : std::optional(out);
  if (y == -1) return op == "%" ? 0 : whole_result("-", 0, x);
  return op == "//" ? floor_div(x, y) : x - floor_div(x, y) * y;
}

Json arithmetic(const std::string& op, const Json& a, const Json& b) {
  if (op == "+" && a.is_string() && b.is_string()) return a.get<std::string>() + b.get<std::string>();
  if (op == "+" && a.is_array() && b.is_array()) {
    Json out = a;
    out.insert(out.end(), b.begin(), b.end());
    return out;
  }
  if (op == "*" && a.is_array() && b.is_number_integer()) return repeated(a, b.get<int64_t>());
  auto numeric = [](const Json& v) { return v.is_number() || v.is_boolean(); };
  if (!numeric(a) || !numeric(b)) mismatch(op, a, b);
  auto whole = [](const Json& v) { return v.is_boolean() ? int64_t(v.get<bool>()) : v.get<int64_t>(); };
  auto real = [](const Json& v) { return v.is_boolean() ? (v.get<bool>() ? 1.0 : 0.0) : v.get<double>(); };
  const bool divides = op == "/" || op == "//" || op == "%";
  if (divides && real(b) == 0) mismatch(op, a, b);
  if (!a.is_number_float() && !b.is_number_float() && op != "/" && op != "**") {
    const std::optional<int64_t> result = whole_result(op, whole(a), whole(b));
    if (!result) too_large(op, a, b);
    return *result;
  }
  const double x = real(a), y = real(b);
  if (op == "+") return x + y;
  if (op == "-") return x - y;
  if (op == "*") return x * y;
  if (op == "/") return x / y;
  if (op == "//") return std::floor(x / y);
  if (op == "%") return x - std::floor(x / y) * y;
  const double power = std::pow(x, y);
  return a.is_number_integer() && b.is_number_integer() && y >= 0 ? Json(to_int(power)) : Json(power);
}

bool contains(const Json& item, const Json& in) {
  if (in.is_string())
    return item.is_string() && in.get_ref<const std::string&>().find(item.get_ref<const std::string&>()) != std::string::npos;
  if (in.is_object()) return item.is_string() && in.contains(item.get_ref<const std::string&>());
  if (!in.is_array()) return false;
  for (const Json& x : in) {
    if (x == item) return true;
  }
  return false;
}

Json binary(const std::string& op, const Expr& left, const Expr& right, const Scope& scope) {
  Json a = left.eval(scope);
  if (op == "or") return truthy(a) ? a : right.eval(scope);
  if (op == "and") return truthy(a) ? right.eval(scope) : a;
  if (op == "??") return a.is_null() ? right.eval(scope) : a;
  const Json b = right.eval(scope);
  if (op == "==") return a == b;
  if (op == "!=") return a != b;
  if (op == "in") return contains(a, b);
  if (op == "not in") return !contains(a, b);
  if (op[0] == '<' || op[0] == '>') {
    if (a.is_null() || b.is_null()) mismatch(op, a, b);
    if (op == "<") return a < b;
    if (op == "<=") return a <= b;
    if (op == ">") return a > b;
    return a >= b;
  }
  return arithmetic(op, a, b);
}

Json index(const Json& a, const Json& i) {
  if (a.is_object() && i.is_string()) return a.value(i.get<std::string>(), Json());
  if (!a.is_array()) throw Error(ErrorCode::kCorrupt, "config.json: a list was expected, found " + a.dump());
  int64_t n = to_int(i);
  if (n < 0) n += static_cast<int64_t>(a.size());
  if (n < 0 || n >= static_cast<int64_t>(a.size())) {
    throw Error(ErrorCode::kCorrupt, "config.json: a list of " + std::to_string(a.size()) + " values has no entry " + i.dump());
  }
  return a[static_cast<size_t>(n)];
}

Json call(const Expr& e, const Scope& scope) {
  std::vector<Json> args;
  for (const ExprRef& arg : e.args) args.push_back(arg->eval(scope));
  Json result;
  if (scope.call(e.text, args, result) || call_builtin(e.text, args, result)) return result;
  throw Error(ErrorCode::kInternal, "no function '" + e.text + "'");
}

}  // namespace

const Json* Scope::find(std::string_view name) const {
  for (const Scope* s = this; s; s = s->parent_) {
    if (auto it = s->values_.find(name); it != s->values_.end()) return &it->second;
  }
  return nullptr;
}

bool Scope::call(std::string_view name, const std::vector<Json>& args, Json& result) const {
  for (const Scope* s = this; s; s = s->parent_) {
    if (s->function_ && s->function_(name, args, result)) return true;
  }
  return false;
}

bool truthy(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return !value.is_null() && !value.empty();
}

int64_t to_int(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number_float()) {
    const double d = value.get<double>();
    if (d == std::floor(d) && std::abs(d) < 9e15) return static_cast<int64_t>(d);
  }
  throw Error(ErrorCode::kCorrupt, "config.json: found " + value.dump() + " where a whole number is needed");
}

double to_real(const Json& value) {
  if (!value.is_number()) throw Error(ErrorCode::kCorrupt, "config.json: found " + value.dump() + " where a number is needed");
  return value.get<double>();
}

std::string to_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

Json Expr::eval(const Scope& scope) const {
  switch (kind) {
    case Kind::kLiteral:
      return value;
    case Kind::kName: {
      const Json* found = scope.find(text);
      if (!found) throw Error(ErrorCode::kInternal, "unknown name '" + text + "'");
      return *found;
    }
    case Kind::kUnary: {
      const Json a = args[0]->eval(scope);
      return text == "not" ? Json(!truthy(a)) : arithmetic("-", Json(int64_t{0}), a);
    }
    case Kind::kBinary:
      return binary(text, *args[0], *args[1], scope);
    case Kind::kConditional:
      return (truthy(args[0]->eval(scope)) ? args[1] : args[2])->eval(scope);
    case Kind::kIndex:
      return index(args[0]->eval(scope), args[1]->eval(scope));
    case Kind::kMember: {
      const Json a = args[0]->eval(scope);
      return a.is_object() ? a.value(text, Json()) : Json();
    }
    case Kind::kList: {
      Json list = Json::array();
      for (const ExprRef& arg : args) list.push_back(arg->eval(scope));
      return list;
    }
    case Kind::kCall:
      return call(*this, scope);
  }
  return {};
}

}  // namespace hf2mlx
