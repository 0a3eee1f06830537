// mxfp4, mxfp8 and nvfp4: groups of tiny floats with one scale each. Not for callers of the library; they use quant/codec.h.
#pragma once

#include "quant/codec.h"

namespace hf2mlx {

// `group_count` consecutive groups; buffers and requirements as for encode_rows and decode_rows.
void encode_microscaling(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t group_count, const EncodedRows& out);
void decode_microscaling(const Encoding& e, Dtype dtype, const ConstEncodedRows& in, uint64_t group_count, std::byte* values);

}  // namespace hf2mlx
