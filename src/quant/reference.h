// The scalar truth of the codecs: plain loops, one element at a time, written from the format definitions and held against vectors made
// with MLX itself (tests/oracle/quant_vectors.py). The vector code is tested against this; nothing else may use it.
#pragma once

#include "quant/codec.h"
#include "tensor/dtype.h"

namespace hf2mlx::reference {

// Same contracts as the functions of the same name in quant/codec.h and quant/convert.h.
void encode_rows(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols, const EncodedRows& out);
// Fit::kLattice of quant/fit.h.
void encode_lattice(Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols, const EncodedRows& out);
void decode_rows(const Encoding& e, Dtype dtype, const ConstEncodedRows& in, uint64_t rows, uint64_t cols, std::byte* values);
void convert_elements(Dtype from, const std::byte* in, Dtype to, std::byte* out, uint64_t count);
void decode_fp8(Dtype from, const std::byte* in, Dtype to, std::byte* out, uint64_t count);

}  // namespace hf2mlx::reference
