// A backtracking matcher; tensor names are short and patterns have few parts.
#include "arch/pattern.h"

#include <algorithm>
#include <cctype>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool Pattern::is_number(std::string_view capture_name) {
  return !capture_name.empty() && std::isupper(static_cast<unsigned char>(capture_name[0]));
}

Json capture_value(std::string_view name, std::string_view text) {
  if (Pattern::is_number(name)) return int64_t{std::stoll(std::string(text))};
  return std::string(text);
}

Pattern::Pattern(std::string_view text) : text_(text) {
  while (!text.empty()) {
    const size_t special = text.find_first_of("*{");
    add_literal(text.substr(0, special));
    if (special == std::string_view::npos) return;
    if (text[special] == '*') {
      parts_.push_back({Kind::kAny, {}, {}, -1});
      text.remove_prefix(special + 1);
      continue;
    }
    const size_t close = text.find('}', special);
    if (close == std::string_view::npos) throw Error(ErrorCode::kInternal, "pattern '" + text_ + "': { without }");
    add_capture(text.substr(special + 1, close - special - 1));
    text.remove_prefix(close + 1);
  }
}

void Pattern::add_literal(std::string_view literal) {
  if (!literal.empty()) parts_.push_back({Kind::kLiteral, std::string(literal), {}, -1});
}

void Pattern::add_capture(std::string_view inside) {
  Part part{Kind::kSegment, {}, {}, static_cast<int>(capture_names_.size())};
  std::string_view name = inside;
  if (const size_t equals = inside.find('='); equals != std::string_view::npos) {
    name = inside.substr(0, equals);
    part.kind = Kind::kChoice;
    for (std::string_view rest = inside.substr(equals + 1);;) {
      const size_t bar = rest.find('|');
      part.choices.emplace_back(rest.substr(0, bar));
      if (bar == std::string_view::npos) break;
      rest.remove_prefix(bar + 1);
    }
  } else if (inside.ends_with("*")) {
    name = inside.substr(0, inside.size() - 1);
    part.kind = Kind::kAny;
  } else if (is_number(inside)) {
    part.kind = Kind::kDigits;
  }
  capture_names_.emplace_back(name);
  parts_.push_back(std::move(part));
}

bool Pattern::matches(std::string_view name) const {
  std::vector<std::string_view> captures;
  return match(name, captures);
}

bool Pattern::match(std::string_view name, std::vector<std::string_view>& captures) const {
  if (parts_.empty()) return name.empty();
  const Part& last = parts_.back();
  if (last.kind == Kind::kLiteral && !name.ends_with(last.literal)) return false;
  captures.assign(capture_names_.size(), {});
  return match_from(0, name, captures);
}

bool Pattern::match(std::string_view name, Scope& scope) const {
  std::vector<std::string_view> captures;
  if (!match(name, captures)) return false;
  for (size_t i = 0; i < captures.size(); ++i) scope.set(capture_names_[i], capture_value(capture_names_[i], captures[i]));
  return true;
}

bool Pattern::match_from(size_t part, std::string_view rest, std::vector<std::string_view>& captures) const {
  if (part == parts_.size()) return rest.empty();
  const Part& p = parts_[part];
  if (p.kind == Kind::kLiteral) return rest.starts_with(p.literal) && match_from(part + 1, rest.substr(p.literal.size()), captures);
  if (p.kind != Kind::kChoice) return match_run(part, rest, captures);
  for (const std::string& choice : p.choices) {
    if (!rest.starts_with(choice) || !match_from(part + 1, rest.substr(choice.size()), captures)) continue;
    captures[static_cast<size_t>(p.capture)] = rest.substr(0, choice.size());
    return true;
  }
  return false;
}

// A run of characters: the shortest that lets the rest match. Digits are taken whole, so that {L} cannot stop inside a number.
bool Pattern::match_run(size_t part, std::string_view rest, std::vector<std::string_view>& captures) const {
  const Part& p = parts_[part];
  size_t shortest = p.kind == Kind::kAny ? 0 : 1;
  size_t longest = rest.size();
  if (p.kind == Kind::kDigits) {
    longest = 0;
    while (longest < rest.size() && is_digit(rest[longest])) ++longest;
    shortest = std::max<size_t>(longest, 1);
  } else if (p.kind == Kind::kSegment) {
    longest = std::min(rest.find('.'), rest.size());
  }
  for (size_t n = shortest; n <= longest; ++n) {
    if (!match_from(part + 1, rest.substr(n), captures)) continue;
    if (p.capture >= 0) captures[static_cast<size_t>(p.capture)] = rest.substr(0, n);
    return true;
  }
  return false;
}

}  // namespace hf2mlx
