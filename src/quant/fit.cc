// See fit.h.
#include "quant/fit.h"

#include "quant/affine_fit.h"
#include "quant/lattice.h"
#include "quant/microscaling_fit.h"

namespace hf2mlx {

std::optional<Fit> fit_from_name(std::string_view name) noexcept {
  if (name.empty()) return Fit::kNearest;
  if (name == "fast") return Fit::kFast;
  if (name == "best") return Fit::kBest;
  return std::nullopt;
}

void encode_rows_fitted(const Encoding& e, Dtype dtype, const std::byte* values, uint64_t rows, uint64_t cols, const FitOptions& options,
                        const EncodedRows& out) {
  if (options.fit == Fit::kNearest) return encode_rows(e, dtype, values, rows, cols, out);
  if (options.fit == Fit::kLattice) return encode_lattice(dtype, values, rows, cols, out);
  if (has_biases(e)) return encode_affine_fitted(e, dtype, values, rows, cols, options, out);
  encode_microscaling_fitted(e, dtype, values, rows, cols, options, out);
}

}  // namespace hf2mlx
