// The operations that take the tensors of a checkpoint to the tensors of an MLX model: the whole vocabulary, one function each.
//
// Every function returns a tensor that is computed when it is read. Common to all:
//  - Building one reads nothing. A disagreement of shapes or dtypes is an Error{kCorrupt}; a dtype that an operation cannot take is an
//    Error{kUnsupported}. Messages name the operation and the shapes; the caller adds the tensor's name.
//  - Reading works for any range of elements and any amount of scratch that holds one group or one run of elements; more scratch means
//  fewer
//    and longer reads. Nothing else is allocated. Whole rows are the cheapest ranges.
//  - Axes are counted from 0, or from the end when negative.
//  - "Float" is F16, BF16 or F32. Arithmetic is in float32 and rounds once, to nearest even, to the dtype of the result, as MLX's CPU
//  backend does.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "io/file.h"
#include "quant/codec.h"
#include "quant/codes.h"
#include "tensor/lazy.h"

namespace hf2mlx::ops {

// --- Leaves (source.cc)

// The tensor stored at `offset_bytes` of `file`.
TensorRef source(std::shared_ptr<const Reader> file, Dtype dtype, Shape shape, uint64_t offset_bytes);
// A vector held in memory, each value rounded to `dtype` (a float).
TensorRef constant(const std::vector<float>& values, Dtype dtype);

// --- Layout (layout.cc): no value changes. Chains of these become one strided view of the tensor below, where strides can say it.

// One extent may be kInferred.
inline constexpr uint64_t kInferred = std::numeric_limits<uint64_t>::max();
TensorRef reshape(const TensorRef& t, Shape shape);
// Axis i of the result is axis perm[i] of `t`.
TensorRef transpose(const TensorRef& t, const std::vector<int>& perm);
TensorRef swapaxes(const TensorRef& t, int a, int b);
TensorRef moveaxis(const TensorRef& t, int from, int to);
// t[begin:end:step] along `axis` as Python means it; kEnd (or kBegin for a negative step) stands for an omitted `end`.
inline constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
inline constexpr int64_t kBegin = std::numeric_limits<int64_t>::min();
TensorRef slice(const TensorRef& t, int axis, int64_t begin, int64_t end, int64_t step = 1);
// t[index] along `axis`, which goes away.
TensorRef take(const TensorRef& t, int axis, int64_t index);
// Each slice along `axis` n times in a row (mx.repeat).
TensorRef repeat(const TensorRef& t, int axis, uint64_t n);
// As numpy: extents are aligned at the last axis, 1 stretches.
TensorRef broadcast(const TensorRef& t, const Shape& shape);
// The bytes as another dtype: the last axis shrinks or grows by the ratio of the sizes (mx.view).
TensorRef view(const TensorRef& t, Dtype dtype);

// --- Joining (combine.cc)

// What `t` was joined from by one of the two functions below; null where it was not.
const std::vector<TensorRef>* joined_parts(const TensorRef& t);
// All of one dtype, and of one shape but for `axis`.
TensorRef concat(const std::vector<TensorRef>& parts, int axis);
// n tensors of one shape [...] to [n, ...].
TensorRef stack(const std::vector<TensorRef>& parts);

// --- Values (elementwise.cc)

// Float to float; F64 and the 8-bit floats to float. Anything else is returned as it is, as is what has the dtype already.
TensorRef cast(const TensorRef& t, Dtype dtype);
// t + value and t * value for a float `t`; `value` is first rounded to float32, then to the dtype of `t`, as a Python scalar is.
TensorRef add_scalar(const TensorRef& t, double value);
TensorRef multiply_scalar(const TensorRef& t, double value);
// t[i, ...] * factors[i], rounded to the dtype of `t`. `factors` is a float vector as long as axis 0.
TensorRef multiply_rows(const TensorRef& t, const TensorRef& factors);
// bf16(1 + t): a norm weight that is stored centred at zero.
TensorRef norm_gain(const TensorRef& t);
// The F32 weights of stream and branch in muse_spark's residual gates: beta = sigmoid(t / 0.3) and
// alpha = sqrt(max(sigmoid(-t / 0.3) * (1 + beta), 0.001)).
TensorRef residual_gate_alpha(const TensorRef& t);
TensorRef residual_gate_beta(const TensorRef& t);
// Scales that are powers of two to their E8M0 exponents: u8(log2(t) + 127), truncated; zero, infinity and NaN give 0.
TensorRef e8m0_from_float(const TensorRef& t);

// --- L2 norms (normalize.cc), for a float matrix; the result has its dtype

// Each row divided by (its norm + 1e-7).
TensorRef normalize_rows(const TensorRef& t);
// Each column divided by (its norm + 1e-7). The first read streams the whole tensor once; a float for each column is kept.
TensorRef normalize_cols(const TensorRef& t);

// --- Packed weights (fp8.cc, packed.cc, awq.cc)

// 8-bit codes (F8_E4M3, or U8 for the same, or F8_E5M2) [..., m, n] times one scale for each block of block_rows x block_cols, of which
// those at the edges may be partial. `scales` (float or F8_E8M0) has one element for each block, in order; so per tensor: m x n, per row: 1
// x n.
TensorRef fp8_dequant(const TensorRef& codes, const TensorRef& scales, uint64_t block_rows, uint64_t block_cols, Dtype dtype);
// The values of an MLX-packed weight. `packed` is U32, `scales` and `biases` as the encoding has them (`biases` null where it has none).
// `dtype` is that of the values; affine scales and biases must have it too.
TensorRef dequantize(const TensorRef& packed, const TensorRef& scales, const TensorRef& biases, const Encoding& encoding, Dtype dtype);
// The same where scales and biases tell the dtype: theirs, or F32 where they differ, as MLX promotes them.
TensorRef dequantize_affine(const TensorRef& packed, const TensorRef& scales, const TensorRef& biases, const Encoding& encoding);
// The F32 values of nvfp4 weights [n, ...] with `global_scales` F32 [n]: one for each matrix, on top of the groups' own scales.
TensorRef dequantize_global(const TensorRef& packed, const TensorRef& scales, const TensorRef& global_scales);

struct Encoded {
  TensorRef packed;
  TensorRef scales;
  TensorRef biases;  // null where the encoding has none
};
// A float tensor in an encoding. Each of the three computes the encoding anew: meant for small tensors.
Encoded quantize(const TensorRef& values, const Encoding& encoding);

// AutoAWQ's qweight I32 [in, out * bits / 32], 4 or 8 bits, as MLX packs it: U32 [out, in * bits / 32].
TensorRef awq_repack(const TensorRef& qweight, uint32_t bits = 4);
// The biases [out, groups] that belong to AutoAWQ's scales [groups, out]: -(zero * scale). `qzeros` is I32 [groups, out * bits / 32], or
// null where the zero point is half of the range throughout.
TensorRef awq_biases(const TensorRef& qzeros, const TensorRef& scales, uint32_t bits = 4);

// --- Codes of other packings (codes.cc, grouped.cc)

// The codes of 2, 3, 4, 5, 6 or 8 bits in the words (U8, I32 or U32) of each row, one after the other and also across words: U8.
TensorRef unpack_codes(const TensorRef& packed, uint32_t bits, CodeOrder order);
// (code + add) modulo 2^bits, for U8 codes.
TensorRef shift_codes(const TensorRef& codes, uint32_t add, uint32_t bits);
// `bits` bits of each U8, from bit `low` on. Requires: low + bits <= 8.
TensorRef bit_field(const TensorRef& bytes, uint32_t low, uint32_t bits);
// U8 codes of 2, 4 or 8 bits, of which rows fill whole words, as MLX packs them: U32.
TensorRef pack_codes(const TensorRef& codes, uint32_t bits);
// -(zero * scale) of U8 zero points, rounded to the dtype of the scales.
TensorRef zero_biases(const TensorRef& zeros, const TensorRef& scales);

// Rows of codes in groups: [rows, cols] of codes, [rows, groups] of the rest.
struct GroupedCodes {
  TensorRef codes;      // U8
  TensorRef table;      // F32, at most 256: the number that a code stands for, of those below its size; null: the code itself
  TensorRef scales;     // any float, also of 8 bits
  TensorRef zeros;      // U8, taken off the number; null: `zero` throughout
  uint64_t group_size;  // columns of a group, of which the last may be partial
  TensorRef group_of;   // I32 [cols], the group of each column where they are in no order; null: in order
  uint32_t zero = 0;
};
// (table[code] - zero) * scale.
TensorRef grouped_values(const GroupedCodes& parts, Dtype dtype);
// Every element times, or divided by, one factor (F32, of one element): F32. `t` is any float, also of 8 bits.
enum class Factor : uint8_t { kMultiply, kDivide };
TensorRef scaled_by(const TensorRef& t, const TensorRef& factor, Factor how);

}  // namespace hf2mlx::ops
