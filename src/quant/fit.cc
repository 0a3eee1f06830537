// See fit.h.
#include "quant/fit.h"

namespace hf2mlx {

std::optional<Fit> fit_from_name(std::string_view name) noexcept {
  if (name.empty()) return Fit::kNearest;
  if (name == "fast") return Fit::kFast;
  if (name == "best") return Fit::kBest;
  return std::nullopt;
}

void encode_rows_fitted(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols, const FitOptions&,
                        const EncodedRows& out) {
  encode_rows(e, dtype, values, rows, cols, out);
}

}  // namespace hf2mlx
