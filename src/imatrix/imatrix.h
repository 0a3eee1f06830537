// Importance matrices of llama.cpp: for each matrix product of a model, the mean square of every column of its input over some text.
// llama-imatrix writes them as GGUF (NAME.in_sum2 and NAME.counts) or in an older form of its own:
//
//   i32 entries
//   entry    i32 length, name, i32 calls, i32 n, f32 values[n]     a mean is a value over the calls
//   the rest: the number of chunks and the name of the text, which need not be there
//
// Only names and places are kept in memory; the values are read when a layer is encoded.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"
#include "tensor/lazy.h"

namespace hf2mlx {

struct ImatrixEntry {
  uint64_t values = 0;        // how many
  uint64_t offset_bytes = 0;  // of the first
  std::vector<float> counts;  // of equal runs of values; what a sum is divided by
};

class Imatrix {
 public:
  // Throws Error{kCorrupt} for a damaged file, Error{kUnsupported} for a GGUF file that holds no importances.
  explicit Imatrix(const std::filesystem::path& path);
  explicit Imatrix(std::shared_ptr<const Reader> file);

  const std::map<std::string, ImatrixEntry, std::less<>>& entries() const { return entries_; }

  // The means of the tensor llama.cpp calls `name` ("blk.0.attn_q.weight") as F32 of `matrices` rows and `cols` columns: a row for each
  // expert or head, the one row that there is for all of them, or null where the sizes do not fit. A matrix that never saw an input has
  // ones.
  TensorRef means(std::string_view name, uint64_t matrices, uint64_t cols) const;

 private:
  void read_gguf();
  void read_legacy();

  std::shared_ptr<const Reader> file_;
  std::map<std::string, ImatrixEntry, std::less<>> entries_;
};

}  // namespace hf2mlx
