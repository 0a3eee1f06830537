#include "arch/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arch/model.h"
#include "base/expect_error.h"
#include "hf2mlx/error.h"
#include "transform/ops.h"
#include "transform/scratch.h"

namespace hf2mlx {
namespace {

TensorRef vector_of(std::vector<float> values) { return ops::constant(values, Dtype::kF32); }

TensorRef matrix_of(uint64_t rows, std::vector<float> values) { return ops::reshape(vector_of(std::move(values)), {rows, ops::kInferred}); }

std::vector<float> values_of(const TensorRef& t) {
  std::vector<float> out(element_count(t->shape()));
  Scratch scratch(1 << 20);
  t->read(0, out.size(), reinterpret_cast<std::byte*>(out.data()), scratch);
  return out;
}

std::vector<std::string> names_of(const TensorMap& tensors) {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : tensors) out.push_back(name);
  return out;
}

void run(const std::string& rules, TensorMap& tensors, Json config = Json::object(), Json* changed = nullptr) {
  const Registry registry;
  const Description d = parse_description("test", rules);
  const Scope scope = bind_config(d, config);
  apply_rules(d, scope, registry, &config, tensors);
  if (changed) *changed = config;
}

using ::testing::ElementsAre;

TEST(Rules, DropKeepAndWhere) {
  TensorMap tensors{{"a.1", vector_of({1})}, {"a.2", vector_of({2})}, {"b", vector_of({3})}, {"vision.x", vector_of({4})}};
  run("rules\n  drop a.{N} where N > 1\n  drop vision.*\n", tensors);
  EXPECT_THAT(names_of(tensors), ElementsAre("a.1", "b"));
  run("rules\n  keep b\n", tensors);
  EXPECT_THAT(names_of(tensors), ElementsAre("b"));
}

TEST(Rules, RenameDoesNotReadWhatItWrote) {
  TensorMap tensors{{"x.0", vector_of({0})}, {"x.1", vector_of({1})}};
  run("rules\n  rename x.{N} -> x.{N + 1}\n", tensors);
  EXPECT_THAT(names_of(tensors), ElementsAre("x.1", "x.2"));
  EXPECT_THAT(values_of(tensors["x.2"]), ElementsAre(1));
}

// Of config.json, so it is no defect of the program.
TEST(Rules, ValuesThatAreNoNumbersAreNamed) {
  for (const char* rules :
       {"config\n  x = 1\nrules\n  rename a -> b : mul(x)\n", "config\n  x = 1\nrules\n  rename a -> b : mul_rows([x, 1])\n",
        "config\n  x = 0\nrules\n  split_heads kv.weight heads=x nope=1 rank=1 -> q u\n",
        "config\n  x = 0\nrules\n  stack e.{E}.weight count x -> e.weight\n"}) {
    TensorMap tensors{{"a", matrix_of(2, {1, 2})}, {"kv.weight", matrix_of(2, {1, 2})}, {"e.0.weight", matrix_of(2, {1, 2})}};
    const Json config = {{"x", std::string(rules).find("x = 0") == std::string::npos ? Json() : Json(0)}};
    EXPECT_THAT(error_of([&] { run(rules, tensors, config); }), IsError(ErrorCode::kCorrupt, testing::HasSubstr("config.json")));
  }
}

TEST(Rules, ForRepeatsItsRules) {
  TensorMap tensors{{"mlp.w1", matrix_of(4, {1, 2, 3, 4, 5, 6, 7, 8})}};
  run("rules\n  for E in 2\n    copy mlp.w1 -> mlp.{E}.w1 : part(0, E, 2)\n  for name in [\"w1\"]\n    drop mlp.{x} where x == name\n",
      tensors);
  EXPECT_THAT(names_of(tensors), ElementsAre("mlp.0.w1", "mlp.1.w1"));
  EXPECT_THAT(values_of(tensors["mlp.1.w1"]), ElementsAre(5, 6, 7, 8));
}

TEST(Rules, StopInAForEndsAll) {
  TensorMap tensors{{"a", vector_of({1})}, {"b", vector_of({2})}};
  run("rules\n  for E in 3\n    if E == 1\n      stop\n    drop a\n  drop b\n", tensors);
  EXPECT_THAT(names_of(tensors), ElementsAre("b"));
}

TEST(Rules, StackFollowsTheIndexNotTheName) {
  TensorMap tensors;
  for (int e = 0; e < 11; ++e) tensors["l.0.experts." + std::to_string(e) + ".up"] = vector_of({static_cast<float>(e)});
  run("rules\n  stack l.{L}.experts.{E}.{p} -> l.{L}.{p}\n", tensors);
  EXPECT_THAT(values_of(tensors["l.0.up"]), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
}

TEST(Rules, StackNamesAMissingExpert) {
  TensorMap tensors{{"e.0.w", vector_of({0})}, {"e.2.w", vector_of({2})}};
  try {
    run("rules\n  stack e.{E}.w count 3 -> w\n", tensors);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kCorrupt);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("expert 1 of 3 is missing"));
  }
}

TEST(Rules, SplitConcatAndOperations) {
  TensorMap tensors{{"gate_up", matrix_of(2, {1, 2, 3, 4})}, {"q", vector_of({1})}, {"k", vector_of({2})}};
  run("rules\n  split gate_up\n    -> gate : part(0, 0, 2) | reshape([2])\n    -> up : part(0, 1, 2) | add(1)\n  concat q , k -> qk axis "
      "0\n",
      tensors);
  EXPECT_THAT(names_of(tensors), ElementsAre("gate", "qk", "up"));
  EXPECT_THAT(values_of(tensors["gate"]), ElementsAre(1, 2));
  EXPECT_THAT(values_of(tensors["up"]), ElementsAre(4, 5));
  EXPECT_THAT(values_of(tensors["qk"]), ElementsAre(1, 2));
}

TEST(Rules, GuardsAndStop) {
  TensorMap tensors{{"done", vector_of({1})}, {"x", vector_of({2})}};
  run("rules\n  if has(\"done\")\n    stop\n  drop x\n", tensors);
  EXPECT_THAT(names_of(tensors), ElementsAre("done", "x"));
  run("rules\n  if has(\"missing\")\n    drop x\n  elif shape(\"x\") == [1]\n    drop done\n  else\n    drop *\n", tensors);
  EXPECT_THAT(names_of(tensors), ElementsAre("x"));
}

TEST(Rules, SetChangesTheWrittenConfig) {
  TensorMap tensors;
  Json config;
  run("config\n  n = 3\nrules\n  set text_config.n = n + 1\n", tensors, {{"text_config", {{"m", 1}}}}, &config);
  EXPECT_EQ(config, Json({{"text_config", {{"m", 1}, {"n", 4}}}}));
}

TEST(Description, MistakesNameTheLine) {
  const auto message = [](const std::string& text) -> std::string {
    try {
      parse_description("test", text);
    } catch (const Error& e) {
      return e.what();
    }
    return "parsed";
  };
  EXPECT_THAT(message("rules\n  dorp x\n"), ::testing::HasSubstr("test.arch:2: unknown rule 'dorp'"));
  EXPECT_THAT(message("modules\n  linear a [1, 2] bias=true extra\n"), ::testing::HasSubstr("test.arch:2"));
  EXPECT_THAT(message("rules\n  else\n"), ::testing::HasSubstr("else without if"));
  EXPECT_THAT(message("flags wrong\n"), ::testing::HasSubstr("unknown flag"));
  EXPECT_EQ(message("modules\n  linear a [1, 2] bias=true\n"), "parsed");
}

TEST(Modules, RolesLoopsAndBlocks) {
  const Registry registry;
  const Description d = parse_description("test",
                                          "config\n  n\nblock pair p\n  norm {p}.a [n]\n  layernorm {p}.b [n]\n"
                                          "modules\n  for L in 2\n    at l.{L}\n      use pair(\"x\")\n      if L == 1\n        switch e "
                                          "[3, n, 5] bias=true\n  param raw [n, 1]\n");
  Json config = {{"n", 4}};
  const Scope scope = bind_config(d, config);
  const TensorMap none;
  std::vector<std::string> seen;
  for (const Module& m : build_modules(d, scope, registry, tensor_functions(none))) {
    for (const Param& p : m.params) seen.push_back(p.name + to_string(p.shape));
  }
  EXPECT_THAT(seen, ElementsAre("l.0.x.a.weight[4]", "l.0.x.b.weight[4]", "l.0.x.b.bias[4]", "l.1.x.a.weight[4]", "l.1.x.b.weight[4]",
                                "l.1.x.b.bias[4]", "l.1.e.weight[3, 4, 5]", "l.1.e.bias[3, 4]", "raw[4, 1]"));
}

TEST(Config, MissingKeysAreNamed) {
  const Description d = parse_description("test", "config\n  hidden_size\n");
  Json config = Json::object();
  try {
    bind_config(d, config);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kCorrupt);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("'hidden_size' is missing"));
  }
}

TEST(Registry, EveryFamilyParsesAndHasKnownOperations) {
  const Registry registry;
  const std::vector<std::string> known = operation_names();
  ASSERT_FALSE(registry.names().empty());
  for (const std::string& name : registry.names()) {
    const Description& d = registry.family(name);
    EXPECT_FALSE(d.summary.empty()) << name;
    EXPECT_FALSE(d.modules.empty()) << name;
    EXPECT_EQ(registry.find(d.types[0].name, {d.types[0].architecture}), &d) << name;
    for (const std::string& operation : used_operations(d, registry)) {
      const bool rule = operation == "drop" || operation == "keep" || operation == "rename" || operation == "copy" ||
                        operation == "split" || operation == "stack" || operation == "concat" || operation == "fp8_blocks" ||
                        operation == "split_heads";
      EXPECT_TRUE(rule || std::find(known.begin(), known.end(), operation) != known.end()) << name << ": " << operation;
    }
  }
}

}  // namespace
}  // namespace hf2mlx
