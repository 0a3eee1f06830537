#include "arch/split_heads.h"

#include "hf2mlx/error.h"
#include "quant/codec.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

TensorRef take(TensorMap& tensors, const std::string& name) {
  const auto it = tensors.find(name);
  if (it == tensors.end()) throw Error(ErrorCode::kCorrupt, "checkpoint: tensor " + name + " is missing, which others need");
  TensorRef tensor = it->second;
  tensors.erase(it);
  return tensor;
}

void put(TensorMap& tensors, const std::string& base, const TensorRef& value, const Encoding* encoding) {
  if (!encoding) {
    tensors[base + ".weight"] = value;
    return;
  }
  const ops::Encoded parts = ops::quantize(value, *encoding);
  tensors[base + ".weight"] = parts.packed;
  tensors[base + ".scales"] = parts.scales;
  tensors[base + ".biases"] = parts.biases;
}

}  // namespace

void split_heads(const HeadSplit& split, const std::string& base, const std::string& embed_q, const std::string& unembed_out,
                 TensorMap& tensors) {
  if (split.heads == 0 || split.rank == 0)
    throw Error(ErrorCode::kCorrupt, base + ".weight: config.json states no heads, or heads of no rank", "check config.json");
  const bool packed = tensors.count(base + ".scales") > 0;
  TensorRef weight = take(tensors, base + ".weight");
  Encoding encoding;
  if (packed) {
    const TensorRef scales = take(tensors, base + ".scales");
    const TensorRef biases = take(tensors, base + ".biases");
    if (cols_of(scales->shape()) == 0) throw Error(ErrorCode::kCorrupt, base + ": packed without a scale for each group");
    encoding.bits = static_cast<uint32_t>(cols_of(weight->shape()) * 32 / split.rank);
    encoding.group_size = static_cast<uint32_t>(split.rank / cols_of(scales->shape()));
    weight = ops::dequantize_affine(weight, scales, biases, encoding);
  }
  const uint64_t rows = weight->shape().at(0);
  if (rows % split.heads != 0 || rows / split.heads <= split.nope) {
    throw Error(ErrorCode::kCorrupt, base + ".weight: " + std::to_string(rows) + " rows found, " + std::to_string(split.heads) +
                                         " heads of more than " + std::to_string(split.nope) + " rows expected");
  }
  const TensorRef heads = ops::reshape(weight, {split.heads, rows / split.heads, ops::kInferred});
  const auto nope = static_cast<int64_t>(split.nope);
  const Encoding* again = packed ? &encoding : nullptr;
  put(tensors, embed_q, ops::swapaxes(ops::slice(heads, 1, 0, nope), -1, -2), again);
  put(tensors, unembed_out, ops::slice(heads, 1, nope, ops::kEnd), again);
}

}  // namespace hf2mlx
