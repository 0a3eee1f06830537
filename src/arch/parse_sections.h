// Parts of the description parser that share helpers.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "arch/description.h"
#include "arch/lines.h"
#include "hf2mlx/error.h"

namespace hf2mlx {

// An error with the line it belongs to; parse_description adds the file.
struct LineError : std::runtime_error {
  LineError(int number, const std::string& message) : std::runtime_error(message), line(number) {}
  int line;
};

template <class F>
void at_line(const Line& line, F&& parse) {
  try {
    parse();
  } catch (const Error& e) {
    throw LineError(line.number, e.what());
  }
}

// Statements of a section, with elif and else hung on the `if` they continue. `parse` turns one line into a statement of kind `Statement`.
template <class Statement>
std::vector<Statement> parse_chain(const std::vector<Line>& lines, Statement (*parse)(const Line&)) {
  std::vector<Statement> out;
  Statement* open_if = nullptr;
  for (const Line& line : lines) {
    at_line(line, [&] {
      const bool is_else = line.text == "else";
      const bool is_elif = line.text.starts_with("elif ");
      if ((is_else || is_elif) && !open_if) throw Error(ErrorCode::kInternal, "else without if");
      if (is_else) {
        open_if->otherwise = parse_chain(line.children, parse);
        open_if = nullptr;
        return;
      }
      std::vector<Statement>& list = is_elif ? open_if->otherwise : out;
      list.push_back(parse(line));
      open_if = list.back().kind == Statement::Kind::kIf ? &list.back() : nullptr;
    });
  }
  return out;
}

std::string unquote(std::string_view text);  // "text" without its quotes
// name=EXPRESSION words, as long as there are any.
std::map<std::string, ExprRef> parse_options(Words& words);
std::vector<ModuleStatement> parse_modules(const std::vector<Line>& lines);
std::vector<RuleStatement> parse_rules(const std::vector<Line>& lines);

}  // namespace hf2mlx
