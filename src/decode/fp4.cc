// Four-bit floats: MXFP4, whose exponents MLX holds as they are, and NVFP4, whose scale of the whole tensor no linear layer of MLX has. And
// MXFP6, which MLX does not have.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "decode/session.h"
#include "transform/ops.h"

namespace hf2mlx {
namespace {

constexpr uint64_t kNvfp4Group = 16;
constexpr uint64_t kMxGroup = 32;

TensorRef e2m1_table() {
  return ops::constant({0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f, -0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f},
                       Dtype::kF32);
}

// Two signs, two exponent bits whose bias is 1, three bits of mantissa.
TensorRef e2m3_table() {
  std::vector<float> values;
  for (int code = 0; code < 64; ++code) {
    const int exponent = code >> 3 & 3;
    const float eighths = static_cast<float>((code & 7) + (exponent > 0 ? 8 : 0));
    values.push_back(std::ldexp(code < 32 ? eighths : -eighths, std::max(exponent, 1) - 4));
  }
  return ops::constant(values, Dtype::kF32);
}

// Codes of `bits` bits fill the bytes of a row, and `scales` has one for each group of them.
void check_shapes(const std::string& layer, const LazyTensor& codes, const LazyTensor& scales, uint32_t bits, uint64_t group_size) {
  const uint64_t bytes = group_size * bits / 8;
  Shape expected = codes.shape();
  if (!expected.empty()) expected.back() = expected.back() / bytes;
  if (codes.dtype() == Dtype::kU8 && !expected.empty() && scales.shape() == expected && codes.shape().back() % bytes == 0) return;
  throw Error(ErrorCode::kCorrupt,
              fmt::format("{}: weight {} {} with scales {} found, U8 with a scale for each {} values of {} bits expected", layer,
                          name_of(codes.dtype()), to_string(codes.shape()), to_string(scales.shape()), group_size, bits));
}

// (code * (scale * global)), as the tools that write it decode it.
TensorRef nvfp4_values(const std::string& layer, const TensorRef& codes, const TensorRef& scales, const TensorRef& global,
                       ops::Factor how) {
  check_shapes(layer, *codes, *scales, 4, kNvfp4Group);
  if (scales->dtype() != Dtype::kF8E4M3) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}.weight_scale: {} found, F8_E4M3 expected", layer, name_of(scales->dtype())));
  }
  const TensorRef combined = ops::scaled_by(scales, global, how);
  return ops::grouped_values({ops::unpack_codes(codes, 4, CodeOrder::kInOrder), e2m1_table(), combined, nullptr, kNvfp4Group, nullptr},
                             Dtype::kBF16);
}

// What config.json says of a format that only one of the two has must be true of the tensors.
void check_format(const DecodeSession& session, const std::string& layer, bool has_global) {
  const std::string format = text_setting(session.settings(), "format");
  const bool contradicts = has_global ? format.starts_with("mxfp") : format.starts_with("nvfp");
  if (!contradicts) return;
  throw Error(ErrorCode::kCorrupt, fmt::format("config.json: format '{}' stated, but {}.weight_packed is {} a weight_global_scale", format,
                                               layer, has_global ? "beside" : "without"));
}

uint32_t float_bits(const DecodeSession& session, const std::string& layer) {
  const Json* weights = group_weights(session.settings(), layer);
  const int64_t bits = weights ? integer_setting(*weights, "num_bits", 4) : 4;
  if (bits == 4 || bits == 6) return static_cast<uint32_t>(bits);
  throw Error(ErrorCode::kCorrupt,
              fmt::format("config.json: num_bits {} stated, but {}.weight_packed is U8, floats of 4 or 6 bits expected", bits, layer));
}

void decode_compressed_layer(DecodeSession& session, const std::string& layer, const TensorRef& codes) {
  session.refuse_ignored(layer);
  const TensorRef scales = session.need(layer + ".weight_scale", layer + ".weight_packed");
  const TensorRef global = session.find(layer + ".weight_global_scale");
  check_format(session, layer, global != nullptr);
  for (const char* part : {".weight_packed", ".weight_scale", ".weight_global_scale", ".weight_shape"}) session.drop(layer + part);
  if (global) return session.put(layer + ".weight", nvfp4_values(layer, codes, scales, global, ops::Factor::kDivide));
  const uint32_t bits = float_bits(session, layer);
  check_shapes(layer, *codes, *scales, bits, kMxGroup);
  if (scales->dtype() != Dtype::kU8 && scales->dtype() != Dtype::kF8E8M0) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}.weight_scale: {} found, U8 expected", layer, name_of(scales->dtype())));
  }
  const TensorRef exponents = ops::view(scales, Dtype::kU8);
  if (bits == 4) return session.put_microscaled(layer, ops::view(codes, Dtype::kU32), exponents, QuantMode::kMxfp4);
  const TensorRef numbers = ops::unpack_codes(codes, bits, CodeOrder::kInOrder);
  session.put(layer + ".weight",
              ops::grouped_values({numbers, e2m3_table(), ops::view(scales, Dtype::kF8E8M0), nullptr, kMxGroup, nullptr}, Dtype::kBF16));
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
