// What the decoders of the schemes share: the settings, the tensors left, and where decoded layers go.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "decode/decode.h"
#include "hf2mlx/error.h"

namespace hf2mlx {

// Integer codes in MLX's order: value = (code - zero) * scale.
struct IntegerLayer {
  uint32_t bits;
  TensorRef words;                              // U32 [out, in * bits / 32]
  TensorRef scales;                             // [out, groups]
  TensorRef zeros;                              // U8 [out, groups]; null: `zero` throughout
  uint64_t group_size;                          // of which the last may be partial
  TensorRef group_of;                           // I32 [in]; null: groups follow one another
  std::optional<uint32_t> zero = std::nullopt;  // none: half of the range
};

class DecodeSession {
 public:
  DecodeSession(const Json& settings, TensorMap& tensors, const PackingOf& packing)
      : settings_(settings), tensors_(tensors), packing_(packing) {}

  const Json& settings() const { return settings_; }
  const TensorMap& tensors() const { return tensors_; }
  // Null where there is none of that name.
  TensorRef find(const std::string& name) const;
  // Throws Error{kCorrupt} that names `beside` where there is none.
  TensorRef need(const std::string& name, const std::string& beside) const;
  // Names that end in `suffix`, without it.
  std::vector<std::string> layers_with(std::string_view suffix) const;

  void drop(const std::string& name) { tensors_.erase(name); }
  void put(const std::string& name, TensorRef tensor) { tensors_[name] = std::move(tensor); }
  // LAYER.weight as a float, or packed where MLX has such an encoding.
  void put_integers(const std::string& layer, const IntegerLayer& integers);
  void put_microscaled(const std::string& layer, const TensorRef& words, const TensorRef& scales, QuantMode mode);

  // Throws Error{kCorrupt} where a list in config.json has this layer, which is quantized, as one that is not.
  void refuse_ignored(const std::string& layer);
  DecodedSource& result() { return result_; }

 private:
  void put_packed(PackedLayer layer);

  const Json& settings_;
  TensorMap& tensors_;
  const PackingOf& packing_;
  DecodedSource result_;
  std::set<std::string> seen_kinds_;
};

// An integer setting; `otherwise` where it is missing or null. Throws Error{kCorrupt} for anything else.
int64_t integer_setting(const Json& settings, const char* name, int64_t otherwise);
// Of GPTQ and AWQ, 4 and 128 where nothing is stated. AutoAWQ has names of its own for them.
int64_t stated_bits(const Json& settings);
int64_t stated_group_size(const Json& settings);
// A text setting; empty where it is missing or null.
std::string text_setting(const Json& settings, const char* name);
// Error{kCorrupt}: config.json states a quantization that no tensor shows.
[[noreturn]] void refuse_unfounded(const std::string& quantization);
// quant_method, empty where there is none. ModelOpt's own file states a producer instead, and nests the settings.
std::string quant_method(const Json& stated);
// What config_groups of compressed-tensors say of a layer's weights: the only group, else the one that names the layer, else the one for
// every linear layer; null where there is none.
const Json* group_weights(const Json& settings, const std::string& layer);
// A small tensor's bytes. Throws Error{kCorrupt} where it is larger than `most_bytes`.
std::string read_small(const std::string& name, const TensorRef& tensor, uint64_t most_bytes);
// The groups of columns as `name` states them; null where they follow one another. Each must be below `groups`.
TensorRef checked_groups(const std::string& name, const TensorRef& indices, uint64_t cols, uint64_t group_size);

// The scheme's layers, one function each.
void decode_gptq(DecodeSession& session);
void decode_awq(DecodeSession& session);
void decode_compressed_integers(DecodeSession& session);
void decode_compressed_fp4(DecodeSession& session);
void decode_modelopt_nvfp4(DecodeSession& session);
void decode_fp8(DecodeSession& session);
void decode_int8_weights(DecodeSession& session);
void decode_bitsandbytes(DecodeSession& session);
void decode_bitnet(DecodeSession& session);
bool is_fp8(Dtype dtype);
// The name of the scale beside a tensor of 8-bit floats; empty where there is none.
std::string fp8_scale_name(const TensorMap& tensors, const std::string& name, const LazyTensor& tensor);

}  // namespace hf2mlx
