// What llama.cpp calls our layers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arch/description.h"
#include "arch/registry.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> names(const std::string& family, std::string_view path) { return gguf_names(Registry().family(family), path); }

TEST(GgufNames, TheLayersOwnNameComesFirst) {
  EXPECT_THAT(names("qwen3", "model.layers.12.self_attn.q_proj"), ElementsAre("blk.12.attn_q.weight", "blk.12.attn_qkv.weight"));
  EXPECT_THAT(names("qwen3", "model.layers.0.mlp.down_proj"), ElementsAre("blk.0.ffn_down.weight"));
  EXPECT_THAT(names("qwen3", "lm_head"), ElementsAre("output.weight"));
  EXPECT_THAT(names("qwen3", "model.embed_tokens"), ElementsAre("token_embd.weight"));
}

TEST(GgufNames, FusedLayersShareAnInput) {
  EXPECT_THAT(names("phi3", "model.layers.1.self_attn.qkv_proj"), ElementsAre("blk.1.attn_qkv.weight", "blk.1.attn_q.weight"));
  EXPECT_THAT(names("phi3", "model.layers.1.mlp.gate_up_proj"), ElementsAre("blk.1.ffn_gate.weight", "blk.1.ffn_up.weight"));
}

TEST(GgufNames, ExpertsRoutersAndSharedExpertsAreToldApart) {
  EXPECT_THAT(names("qwen3_moe", "model.layers.3.mlp.switch_mlp.down_proj"), ElementsAre("blk.3.ffn_down_exps.weight"));
  EXPECT_THAT(names("qwen3_moe", "model.layers.3.mlp.gate"), ElementsAre("blk.3.ffn_gate_inp.weight"));
  EXPECT_THAT(names("qwen2_moe", "model.layers.3.mlp.shared_expert_gate"), ElementsAre("blk.3.ffn_gate_inp_shexp.weight"));
  EXPECT_THAT(names("deepseek_v3", "model.layers.3.mlp.shared_experts.up_proj"), ElementsAre("blk.3.ffn_up_shexp.weight"));
  EXPECT_THAT(names("deepseek_v3", "model.layers.3.self_attn.embed_q"), ElementsAre("blk.3.attn_k_b.weight"));
}

TEST(GgufNames, AFamilysOwnLinesComeFirst) {
  EXPECT_THAT(names("qwen", "transformer.h.0.mlp.w2"), ElementsAre("blk.0.ffn_gate.weight"));
  EXPECT_THAT(names("qwen3_5_moe", "language_model.model.layers.0.linear_attn.out_proj"), IsEmpty());
  EXPECT_THAT(names("qwen3_5_moe", "language_model.model.layers.0.mlp.switch_mlp.up_proj"),
              ElementsAre("blk.0.ffn_up_exps.weight", "blk.0.ffn_gate_up_exps.weight"));
}

TEST(GgufNames, WhatIsNotKnownHasNone) { EXPECT_THAT(names("qwen3", "model.layers.0.self_attn.mystery"), IsEmpty()); }

}  // namespace
}  // namespace hf2mlx
