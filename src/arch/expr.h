// Expressions of the architecture descriptions: Python's operators over JSON values.
//
//   or and not == != < <= > >= in + - * / // % ** a[i] a.b [x, y] f(x)   x if c else y   x ?? y (y where x is null)
//
// `/` gives a float, `//` and `%` floor as Python's do; `or` and `and` give an operand. `a.b` is null where `a` has no `b`. Functions: see
// expr_functions.cc. Names are looked up in a Scope; an unknown one is an error, so a typing mistake cannot pass for null.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hf2mlx {

// Variables of nested blocks. A child sees its parents' names; the parent must outlive it.
class Scope {
 public:
  // Functions that only some places offer (has, shape ...). False: none of that name.
  using Function = std::function<bool(std::string_view name, const std::vector<Json>& args, Json& result)>;

  explicit Scope(const Scope* parent = nullptr) : parent_(parent) {}
  void set(const std::string& name, Json value) { values_[name] = std::move(value); }
  void set_function(Function function) { function_ = std::move(function); }
  const Json* find(std::string_view name) const;
  bool call(std::string_view name, const std::vector<Json>& args, Json& result) const;

 private:
  const Scope* parent_;
  std::map<std::string, Json, std::less<>> values_;
  Function function_;
};

class Expr {
 public:
  enum class Kind { kLiteral, kName, kUnary, kBinary, kConditional, kIndex, kMember, kList, kCall };
  Kind kind;
  std::string text;  // operator, name, member or function
  Json value;        // of a literal
  std::vector<std::shared_ptr<const Expr>> args;

  // Throws Error{kInternal} on an unknown name or operands that do not fit.
  Json eval(const Scope& scope) const;
};
using ExprRef = std::shared_ptr<const Expr>;

// Parses the whole of `text`; throws Error{kInternal} that says where it stops making sense.
ExprRef parse_expr(std::string_view text);
// Parses the longest expression at the beginning of `text` and takes it off.
ExprRef parse_expr_prefix(std::string_view& text);

// Text with {expression} parts, as names of modules and targets of rules have them.
class Template {
 public:
  Template() = default;
  explicit Template(std::string_view text);
  std::string expand(const Scope& scope) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::vector<std::pair<std::string, ExprRef>> parts_;  // literal text, then an expression or null
};

bool truthy(const Json& value);          // as Python's bool()
int64_t to_int(const Json& value);       // an integer, or a float without fraction; else Error{kCorrupt}
double to_real(const Json& value);       // a number; else Error{kCorrupt}
std::string to_text(const Json& value);  // a string as it is, anything else as JSON

// What a `for` goes through: a list itself, or the integers below a number.
Json loop_items(const Json& value);

// The functions every expression may call. False: there is none of that name.
bool call_builtin(std::string_view name, const std::vector<Json>& args, Json& result);

}  // namespace hf2mlx
