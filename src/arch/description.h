// What an architecture description says: the parsed form of a families/NAME.arch file. docs/architecture-language.md is its manual.
//
// A description is data: it is parsed as a whole, checked as a whole, and can be walked and printed without a checkpoint.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arch/expr.h"
#include "arch/pattern.h"

namespace hf2mlx {

// What a module is, which decides whether MLX can quantize it.
enum class Role : uint8_t {
  kLinear,       // weight [out, in], bias [out]
  kEmbedding,    // weight [n, dims]
  kSwitch,       // a linear layer for each expert: weight [experts, out, in], bias [experts, out]
  kMultiLinear,  // a linear layer for each head: weight [heads, in, out]
  kNorm,         // weight [dims]
  kLayerNorm,    // weight [dims], bias [dims]
  kConv,         // weight, bias [first axis]
  kParam,        // one array under its own name
};

std::string_view name_of(Role role) noexcept;
inline bool is_quantizable(Role role) noexcept { return role <= Role::kMultiLinear; }

// A statement of a `modules` section.
struct ModuleStatement {
  enum class Kind { kModule, kFor, kLet, kAt, kIf, kUse, kInclude, kRequire };
  Kind kind;
  int line = 0;
  Role role = Role::kParam;
  Template path;                           // of a module, a prefix (at, include)
  ExprRef expr;                            // shape list, condition, value, iterated list or config of an include
  std::string name;                        // variable, block, family or message
  std::map<std::string, ExprRef> options;  // bias=... of a module
  std::vector<ExprRef> args;               // of `use`
  std::vector<ModuleStatement> body;
  std::vector<ModuleStatement> otherwise;  // of `if`
};

// One result of a rule: the new name, and the operations that lead to its value.
struct RuleTarget {
  Template name;
  std::vector<ExprRef> operations;  // each a call
};

// A statement of a `rules` section.
struct RuleStatement {
  enum class Kind {
    kDrop,
    kKeep,
    kRename,
    kCopy,
    kSplit,
    kStack,
    kConcat,
    kFp8Blocks,
    kSplitHeads,
    kIf,
    kFor,
    kStop,
    kSet,
    kRequire,
    kLet,
    kInclude
  };
  Kind kind;
  int line = 0;
  std::vector<Pattern> patterns;
  std::vector<Template> names;  // further inputs, named by the captures of the pattern
  std::vector<RuleTarget> targets;
  ExprRef where;  // for each match; null: always
  ExprRef expr;   // condition, value, count, iterated list or config of an include
  std::vector<ExprRef> args;
  std::string name;  // stack index, config path, variable, family or message
  Template prefix;   // of an include
  std::vector<RuleStatement> body;
  std::vector<RuleStatement> otherwise;
};

// How the model itself wants a layer quantized.
struct QuantRule {
  std::vector<Pattern> patterns;
  enum class Action { kKeep, kDefault, kParameters } action;
  std::map<std::string, ExprRef> parameters;  // group_size, bits, mode
  ExprRef where;
};

// What llama.cpp calls the tensors whose input a module shares, best first; none: it has no such tensor.
struct GgufRule {
  std::vector<Pattern> patterns;
  std::vector<Template> names;
};

struct ConfigStatement {
  enum class Kind { kRequired, kDefault, kLet, kRequire, kSet, kFrom, kUnfold, kNeeds } kind;
  int line = 0;
  std::string name;
  ExprRef expr;
  std::string message;
  std::vector<std::string> keys;  // of kUnfold and kNeeds
};

struct Block {
  std::vector<std::string> parameters;
  std::vector<ModuleStatement> body;
};

struct ModelType {
  std::string name;
  std::string architecture;  // only with this entry of `architectures`; empty: any
};

struct Description {
  std::string name;  // of the file
  std::string summary;
  std::string base;                // sections that this file leaves out come from there
  std::vector<ModelType> types;    // default: the file's name
  std::vector<std::string> flags;  // properties that the planner asks for, see kKnownFlags in description.cc
  ExprRef layers;                  // number of layers, for mixed recipes; default num_hidden_layers
  std::vector<ConfigStatement> config;
  std::map<std::string, Block> blocks;
  std::vector<ModuleStatement> modules;
  std::vector<RuleStatement> rules;
  std::vector<QuantRule> quantize;
  std::vector<Pattern> cast_keep;  // parameters that keep their dtype
  std::vector<GgufRule> gguf;      // the first that matches counts; those of all families come last
  bool has_section(std::string_view section) const { return sections.count(std::string(section)) > 0; }
  bool has_flag(std::string_view flag) const;
  std::map<std::string, int> sections;  // that the file has, with their lines
};

// What llama.cpp calls the weights whose statistics are those of the module's input ("blk.0.attn_q.weight"), best first.
std::vector<std::string> gguf_names(const Description& description, std::string_view module_path);

// Throws Error{kInternal} with "NAME.arch:LINE: ..." when the text is not a description.
Description parse_description(std::string name, std::string_view text);

}  // namespace hf2mlx
