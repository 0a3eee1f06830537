// Multi-head latent attention: kv_b_proj [heads * (nope + v), rank] is kept by MLX as two matrices for each head,
// embed_q [heads, rank, nope] (the first `nope` rows of a head, transposed) and unembed_out [heads, v, rank].
#pragma once

#include <cstdint>
#include <string>

#include "arch/rules.h"

namespace hf2mlx {

struct HeadSplit {
  uint64_t heads;
  uint64_t nope;
  uint64_t rank;
};

// Replaces BASE.weight by EMBED_Q.weight and UNEMBED_OUT.weight. A packed kv_b_proj (with BASE.scales and BASE.biases, affine) is decoded,
// split and encoded again with the bits and group size that its shapes tell.
void split_heads(const HeadSplit& split, const std::string& base, const std::string& embed_q, const std::string& unembed_out,
                 TensorMap& tensors);

}  // namespace hf2mlx
