// Four-bit floats: MXFP4, whose exponents MLX holds as they are, and NVFP4, whose scale of the whole tensor no linear layer of MLX has.
#include <fmt/format.h>

#include "decode/session.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

constexpr uint64_t kNvfp4Group = 16;
constexpr uint64_t kMxfp4Group = 32;

TensorRef e2m1_table() {
  return ops::constant({0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f, -0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f},
                       Dtype::kF32);
}

// The weight's columns are two to a byte, and `scales` has one for each group of them.
void check_shapes(const std::string& layer, const LazyTensor& codes, const LazyTensor& scales, uint64_t group_size) {
  Shape expected = codes.shape();
  if (!expected.empty()) expected.back() = expected.back() * 2 / group_size;
  if (codes.dtype() == Dtype::kU8 && !expected.empty() && scales.shape() == expected && codes.shape().back() * 2 % group_size == 0) return;
  throw Error(ErrorCode::kCorrupt, fmt::format("{}: weight {} {} with scales {} found, U8 with a scale for each {} values expected", layer,
                                               name_of(codes.dtype()), to_string(codes.shape()), to_string(scales.shape()), group_size));
}

// (code * (scale * global)), as the tools that write it decode it.
TensorRef nvfp4_values(const std::string& layer, const TensorRef& codes, const TensorRef& scales, const TensorRef& global,
                       ops::Factor how) {
  check_shapes(layer, *codes, *scales, kNvfp4Group);
  if (scales->dtype() != Dtype::kF8E4M3) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}.weight_scale: {} found, F8_E4M3 expected", layer, name_of(scales->dtype())));
  }
  const TensorRef combined = ops::scaled_by(scales, global, how);
  return ops::grouped_values({ops::unpack_codes(codes, 4, CodeOrder::kInOrder), e2m1_table(), combined, nullptr, kNvfp4Group, nullptr},
                             Dtype::kBF16);
}

void decode_compressed_layer(DecodeSession& session, const std::string& layer, const TensorRef& codes) {
  session.refuse_ignored(layer);
  const TensorRef scales = session.need(layer + ".weight_scale", layer + ".weight_packed");
  const TensorRef global = session.find(layer + ".weight_global_scale");
  for (const char* part : {".weight_packed", ".weight_scale", ".weight_global_scale", ".weight_shape"}) session.drop(layer + part);
  if (global) return session.put(layer + ".weight", nvfp4_values(layer, codes, scales, global, ops::Factor::kDivide));
  check_shapes(layer, *codes, *scales, kMxfp4Group);
  if (scales->dtype() != Dtype::kU8 && scales->dtype() != Dtype::kF8E8M0) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}.weight_scale: {} found, U8 expected", layer, name_of(scales->dtype())));
  }
  session.put_microscaled(layer, ops::view(codes, Dtype::kU32), ops::view(scales, Dtype::kU8), QuantMode::kMxfp4);
}

}  // namespace

void decode_compressed_fp4(DecodeSession& session) {
  for (const std::string& layer : session.layers_with(".weight_packed")) {
    const TensorRef codes = session.find(layer + ".weight_packed");
    if (codes->dtype() == Dtype::kU8) decode_compressed_layer(session, layer, codes);
  }
}

void decode_modelopt_nvfp4(DecodeSession& session) {
  for (const std::string& layer : session.layers_with(".weight_scale_2")) {
    session.refuse_ignored(layer);
    const std::string global_name = layer + ".weight_scale_2";
    const TensorRef codes = session.need(layer + ".weight", global_name);
    const TensorRef scales = session.need(layer + ".weight_scale", global_name);
    if (session.find(layer + ".pre_quant_scale")) {
      throw Error(ErrorCode::kUnsupported, layer + ".pre_quant_scale: found, NVFP4 with scaled inputs cannot be decoded");
    }
    session.put(layer + ".weight", nvfp4_values(layer, codes, scales, session.find(global_name), ops::Factor::kMultiply));
    session.drop(layer + ".weight_scale");
    session.drop(global_name);
  }
}

}  // namespace hf2mlx
