// See layer_purpose.h.
#include "plan/layer_purpose.h"

#include <algorithm>

namespace hf2mlx {

std::string purpose_of(const Description& description, const std::string& path, Role role) {
  const std::vector<std::string> names = gguf_names(description, path);
  if (names.empty()) return std::string(name_of(role));
  std::string_view name = names.front();
  name.remove_suffix(std::string_view(".weight").size());
  if (name.starts_with("blk.")) name.remove_prefix(name.find('.', 4) + 1);
  return std::string(name);
}

LayerTraits traits_of(std::string_view purpose) noexcept {
  struct Row {
    std::string_view purpose;
    LayerTraits traits;
  };
  using enum LayerTraits::Place;
  // Measured by encoding one kind of layer at a time, and as the literature has it; docs/quality.md says how.
  constexpr Row kRows[] = {
      {"output", {kEnd, 1, 3}},
      {"token_embd", {kEnd, 0.25, 3}},
      {"embedding", {kEnd, 0.25, 3}},
      {"attn_q", {kBlock, 0.125, 2}},
      {"attn_k", {kBlock, 0.125, 2}},
      {"attn_q_a", {kBlock, 0.125, 2}},
      {"attn_q_b", {kBlock, 0.125, 2}},
      {"attn_k_b", {kBlock, 0.125, 2}},
      {"ffn_gate", {kBlock, 0.33, 2}},
      {"ffn_up", {kBlock, 0.33, 2}},
      {"ffn_gate_exps", {kBlock, 0.33, 2}},
      {"ffn_up_exps", {kBlock, 0.33, 2}},
      {"ffn_gate_shexp", {kBlock, 0.33, 2}},
      {"ffn_up_shexp", {kBlock, 0.33, 2}},
      // A wrong expert is worse than an inexact one, and routers are small.
      {"ffn_gate_inp", {kBlock, 1, 8}},
      {"ffn_gate_inp_shexp", {kBlock, 1, 8}},
      {"altup_router", {kBlock, 1, 8}},
  };
  const auto row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.purpose == purpose; });
  return row == std::end(kRows) ? LayerTraits{kBlock, 1, 2} : row->traits;
}

}  // namespace hf2mlx
