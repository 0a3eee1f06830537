// Checkpoints that another tool has quantized, decoded before the rules of their architecture see them: fp8, NVFP4, GPTQ, AWQ,
// compressed-tensors and bitsandbytes. docs/sources.md lists what becomes of each.
//
// What config.json states and what the tensors are must agree; neither is believed alone.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "arch/description.h"
#include "arch/rules.h"
#include "base/json.h"
#include "quant/codec.h"

namespace hf2mlx {

// A layer whose codes MLX can hold as they are: NAME.weight, NAME.scales and, where affine, NAME.biases.
struct PackedLayer {
  std::string name;
  Encoding encoding;
  TensorRef weight;
  TensorRef scales;
  TensorRef biases;
  TensorRef values;  // as the scheme defines them, rounded once; null: what mx.dequantize makes of the rest
};

struct DecodedSource {
  std::vector<PackedLayer> packed;   // those that stay packed; all others are floats now
  std::optional<Dtype> float_dtype;  // what every float of the model is cast to once the rules have run
  std::string decoded_from;          // the scheme, where weights become floats; empty otherwise
  std::string unknown_method;        // that config.json states and nobody here can read; the rules of the family may
  bool left_to_rules = false;        // nothing is decoded, as the family's own rules read the form
  bool has_idle_biases = false;      // layers have biases, whether the model has them or not
  std::vector<std::string> notes;
};

// The name of a layer without its numbers, which layers of one kind have in common.
std::string kind_of_layer(const std::string& layer);

enum class Packing : uint8_t { kKeep, kDecode };
// What is to become of a layer that MLX could hold packed.
using PackingOf = std::function<Packing(const std::string& layer)>;

// Whether forms that the family's own rules read, as mlx_lm does, are left to them.
enum class OwnRules : uint8_t { kRead, kBypassed };
// BitNet's layers stay as they are, since mlx_lm has layers for them, where config.json can go on saying so.
enum class Ternary : uint8_t { kStays, kDecoded };
struct Readers {
  OwnRules rules = OwnRules::kRead;
  Ternary ternary = Ternary::kStays;
};

// Rewrites `tensors` and, in `config`, `quantization` and `quantization_config`. Does nothing where the source is not quantized, is in an
// encoding of MLX, or in a form that the family's own rules read, as mlx_lm does (its flags say so). Reads nothing but a few small tensors:
// the order of GPTQ's columns and the descriptions of bitsandbytes.
// Throws Error{kCorrupt} where config.json and tensors disagree and names both, Error{kUnsupported} for what cannot be decoded.
DecodedSource decode_source(const Description& family, Json& config, TensorMap& tensors, const PackingOf& packing,
                            const Readers& readers = {});

}  // namespace hf2mlx
