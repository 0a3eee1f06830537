// What a layer is for, and what that means for its bits under a budget.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "arch/description.h"

namespace hf2mlx {

// llama.cpp's name without block and ending: "attn_v", "ffn_down_exps", "token_embd"; that of the role where llama.cpp has none.
std::string purpose_of(const Description& description, const std::string& path, Role role);

// The table of docs/quality.md.
struct LayerTraits {
  // Blocks add up to the model's last state, each a part of it; every value passes the ends.
  enum class Place : uint8_t { kEnd, kBlock };
  Place place;
  double weight;        // what a relative error costs compared to other layers at such a place
  uint32_t least_bits;  // never fewer

  // Compared to the head, in a model of so many blocks of two halves each.
  double sensitivity(uint64_t blocks) const { return place == Place::kEnd ? weight : weight / (2 * static_cast<double>(blocks)); }
};
LayerTraits traits_of(std::string_view purpose) noexcept;

}  // namespace hf2mlx
