// Encoding with less error than rounding to nearest leaves, in the same format: the scale, the bias and the codes of each group are chosen
// for the error that remains once they are stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "quant/codec.h"
#include "tensor/dtype.h"

namespace hf2mlx {

// How scale, bias and codes of a group are chosen.
enum class Fit : uint8_t {
  kNearest,  // as MLX does
  kFast,     // a short search
  kBest,     // a longer one
  kLattice,  // that of llama.cpp's Q4_0; only for kLatticeEncoding of quant/lattice.h, and columns have no weights
};
std::optional<Fit> fit_from_name(std::string_view name) noexcept;  // "" (nearest), "fast", "best"

struct FitOptions {
  Fit fit = Fit::kNearest;
  // How much the squared error of each column counts: `cols` numbers, finite and not negative. Null: all alike.
  const float* column_weights = nullptr;
};

// As encode_rows of quant/codec.h, which it equals for Fit::kNearest. With kFast and kBest, in no group is the (weighted) squared error of
// the decoded values greater than that of encode_rows. With kLattice, scale * (code - 8) is what the Q4_0 of the gguf package stands for,
// its scale rounded to F16 and then to `dtype`; bias is -8 * scale exactly.
void encode_rows_fitted(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols, const FitOptions& options,
                        const EncodedRows& out);

}  // namespace hf2mlx
