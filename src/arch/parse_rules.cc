// The `rules` section: how published tensors become MLX's.
#include "arch/parse_sections.h"

namespace hf2mlx {
namespace {

using Kind = RuleStatement::Kind;

void parse_where(RuleStatement& s, Words& words) {
  if (words.take("where")) {
    s.where = parse_expr_prefix(words.rest());
    words.skip();
  }
}

// TARGET [: operation | operation ...]
RuleTarget parse_target(Words& words) {
  RuleTarget target;
  target.name = Template(words.next());
  if (!words.take(":")) return target;
  do {
    target.operations.push_back(parse_expr_prefix(words.rest()));
    words.skip();
    if (target.operations.back()->kind != Expr::Kind::kCall)
      throw Error(ErrorCode::kInternal, "an operation like reshape([2, 3]) was expected");
  } while (words.take("|"));
  return target;
}

void expect_arrow(Words& words) {
  if (!words.take("->")) throw Error(ErrorCode::kInternal, "-> was expected");
}

void parse_names(RuleStatement& s, Words& words) {
  while (!words.empty() && words.peek() != "where") s.patterns.emplace_back(words.next());
  if (s.patterns.empty()) throw Error(ErrorCode::kInternal, "a pattern was expected");
}

void parse_move(RuleStatement& s, Words& words, const Line& line) {
  s.patterns.emplace_back(words.next());
  if (s.kind == Kind::kSplit) {
    parse_where(s, words);
    for (const Line& child : line.children) {
      at_line(child, [&] {
        Words target(child.text);
        expect_arrow(target);
        s.targets.push_back(parse_target(target));
      });
    }
    return;
  }
  expect_arrow(words);
  s.targets.push_back(parse_target(words));
}

void parse_stack(RuleStatement& s, Words& words) {
  s.patterns.emplace_back(words.next());
  s.name = words.take("over") ? std::string(words.next()) : "E";
  if (words.take("count")) s.expr = parse_expr_prefix(words.rest());
  words.skip();
  expect_arrow(words);
  s.targets.push_back(parse_target(words));
}

void parse_concat(RuleStatement& s, Words& words) {
  s.patterns.emplace_back(words.next());
  while (words.take(",")) s.names.emplace_back(words.next());
  expect_arrow(words);
  s.targets.push_back(parse_target(words));
  if (words.take("axis")) s.expr = parse_expr_prefix(words.rest());
  words.skip();
}

// fp8_blocks WEIGHT scales NAME block ROWS COLS
void parse_fp8_blocks(RuleStatement& s, Words& words) {
  s.patterns.emplace_back(words.next());
  if (!words.take("scales")) throw Error(ErrorCode::kInternal, "expected fp8_blocks PATTERN scales NAME block ROWS COLS");
  s.names.emplace_back(words.next());
  if (words.take("block")) {
    s.args.push_back(parse_expr(words.next()));
    s.args.push_back(parse_expr(words.next()));
  }
}

// split_heads PREFIX heads=.. nope=.. rank=.. -> EMBED_Q UNEMBED_OUT: the parts of kv_b_proj that MLX keeps apart.
void parse_split_heads(RuleStatement& s, Words& words) {
  s.patterns.emplace_back(words.next());
  auto options = parse_options(words);
  for (const char* name : {"heads", "nope", "rank"}) {
    if (!options.count(name)) throw Error(ErrorCode::kInternal, "split_heads needs heads=, nope= and rank=");
    s.args.push_back(options[name]);
  }
  expect_arrow(words);
  s.names.emplace_back(words.next());
  s.names.emplace_back(words.next());
}

void parse_include(RuleStatement& s, Words& words) {
  s.name = words.next();
  if (words.take("under")) s.prefix = Template(words.next());
  if (words.take("with")) s.expr = parse_expr_prefix(words.rest());
  words.skip();
}

void parse_for(RuleStatement& s, Words& words, const Line& line) {
  s.name = words.next();
  if (!words.take("in")) throw Error(ErrorCode::kInternal, "expected for NAME in EXPRESSION");
  s.expr = parse_expr_prefix(words.rest());
  words.skip();
  s.body = parse_rules(line.children);
}

void parse_assignment(RuleStatement& s, Words& words) {
  s.name = words.next();
  if (!words.take("=")) throw Error(ErrorCode::kInternal, "expected NAME = EXPRESSION");
  s.expr = parse_expr_prefix(words.rest());
  words.skip();
}

struct Keyword {
  std::string_view word;
  Kind kind;
};
constexpr Keyword kKeywords[] = {
    {"drop", Kind::kDrop},   {"keep", Kind::kKeep},       {"rename", Kind::kRename},          {"copy", Kind::kCopy},
    {"split", Kind::kSplit}, {"stack", Kind::kStack},     {"concat", Kind::kConcat},          {"fp8_blocks", Kind::kFp8Blocks},
    {"if", Kind::kIf},       {"elif", Kind::kIf},         {"split_heads", Kind::kSplitHeads}, {"stop", Kind::kStop},
    {"set", Kind::kSet},     {"require", Kind::kRequire}, {"include", Kind::kInclude},        {"let", Kind::kLet},
    {"for", Kind::kFor},
};

Kind kind_of(std::string_view word) {
  for (const Keyword& k : kKeywords) {
    if (k.word == word) return k.kind;
  }
  throw Error(ErrorCode::kInternal, "unknown rule '" + std::string(word) + "'");
}

void parse_kind(RuleStatement& s, Words& words, const Line& line) {
  switch (s.kind) {
    case Kind::kDrop:
    case Kind::kKeep:
      return parse_names(s, words);
    case Kind::kRename:
    case Kind::kCopy:
    case Kind::kSplit:
      return parse_move(s, words, line);
    case Kind::kStack:
      return parse_stack(s, words);
    case Kind::kConcat:
      return parse_concat(s, words);
    case Kind::kFp8Blocks:
      return parse_fp8_blocks(s, words);
    case Kind::kSplitHeads:
      return parse_split_heads(s, words);
    case Kind::kInclude:
      return parse_include(s, words);
    case Kind::kSet:
    case Kind::kLet:
      return parse_assignment(s, words);
    case Kind::kFor:
      return parse_for(s, words, line);
    case Kind::kStop:
      return;
    case Kind::kIf:
      s.expr = parse_expr_prefix(words.rest());
      s.body = parse_rules(line.children);
      return;
    case Kind::kRequire:
      s.expr = parse_expr_prefix(words.rest());
      s.name = unquote(words.rest());
      words.rest() = {};
      return;
  }
}

RuleStatement parse_statement(const Line& line) {
  RuleStatement s;
  s.line = line.number;
  Words words(line.text);
  s.kind = kind_of(words.next());
  parse_kind(s, words, line);
  parse_where(s, words);
  if (!words.empty()) throw Error(ErrorCode::kInternal, "did not expect '" + std::string(words.rest()) + "'");
  return s;
}

}  // namespace

std::vector<RuleStatement> parse_rules(const std::vector<Line>& lines) { return parse_chain(lines, parse_statement); }

}  // namespace hf2mlx
