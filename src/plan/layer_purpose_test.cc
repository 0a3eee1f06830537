#include "plan/layer_purpose.h"

#include <gtest/gtest.h>

#include "arch/registry.h"

namespace hf2mlx {
namespace {

std::string purpose(const std::string& family, const std::string& path, Role role = Role::kLinear) {
  return purpose_of(Registry().family(family), path, role);
}

TEST(LayerPurpose, IsTheNameWithoutBlockAndEnding) {
  EXPECT_EQ(purpose("qwen3", "model.layers.11.self_attn.v_proj"), "attn_v");
  EXPECT_EQ(purpose("qwen3_moe", "model.layers.0.mlp.switch_mlp.down_proj"), "ffn_down_exps");
  EXPECT_EQ(purpose("qwen3", "lm_head"), "output");
  EXPECT_EQ(purpose("qwen3", "model.embed_tokens", Role::kEmbedding), "token_embd");
}

TEST(LayerPurpose, IsTheRoleWhereThereIsNoName) {
  EXPECT_EQ(purpose("qwen3", "model.something", Role::kEmbedding), "embedding");
  EXPECT_EQ(purpose("qwen3", "model.something"), "linear");
}

TEST(LayerTraits, RoutersKeepEightBits) {
  EXPECT_EQ(traits_of(purpose("qwen3_moe", "model.layers.0.mlp.gate")).least_bits, 8u);
  EXPECT_EQ(traits_of(purpose("qwen2_moe", "model.layers.0.mlp.shared_expert_gate")).least_bits, 8u);
  EXPECT_EQ(traits_of("attn_v").least_bits, 2u);
}

TEST(LayerTraits, TheBlocksTogetherCostWhatTheHeadDoes) {
  const LayerTraits v = traits_of("attn_v");
  const LayerTraits down = traits_of("ffn_down");
  EXPECT_DOUBLE_EQ(36 * (v.sensitivity(36) + down.sensitivity(36)), traits_of("output").sensitivity(36));
  EXPECT_LT(traits_of("attn_q").sensitivity(36), traits_of("ffn_up").sensitivity(36));
  EXPECT_LT(traits_of("ffn_up").sensitivity(36), down.sensitivity(36));
}

}  // namespace
}  // namespace hf2mlx
