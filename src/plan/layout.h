// Assigns output tensors to files, and offsets within them.
#pragma once

#include "plan/plan.h"

namespace hf2mlx {

// Fills shards and every output's shard and offset. A new shard begins where a tensor would pass `max_shard_bytes` of tensor data; a tensor
// larger than that has a shard of its own.
void lay_out(Plan& plan, uint64_t max_shard_bytes);

}  // namespace hf2mlx
