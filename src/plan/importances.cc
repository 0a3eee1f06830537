// See importances.h.
#include "plan/importances.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

// The first few.
std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  const size_t shown = std::min(names.size(), kShown);
  return fmt::format("{}{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                     names.size() > shown ? ", ..." : "");
}

}  // namespace

Importances::Importances(const std::filesystem::path& file, const Description& description)
    : imatrix_(file), file_(file.string()), description_(description) {}

TensorRef Importances::of(const std::string& path, const Shape& weight) {
  const uint64_t cols = cols_of(weight);
  const uint64_t matrices = weight.size() > 2 ? rows_of(weight) / weight[weight.size() - 2] : 1;
  bool named = false;
  for (const std::string& name : gguf_names(description_, path)) {
    if (imatrix_.entries().count(name) == 0) continue;
    named = true;
    TensorRef means = imatrix_.means(name, matrices, cols);
    if (!means) continue;
    ++weighted_;
    return means;
  }
  (named ? misfits_ : without_).push_back(path);
  return nullptr;
}

std::string Importances::finish() const {
  const uint64_t layers = weighted_ + without_.size() + misfits_.size();
  if (weighted_ == 0 && layers > 0) {
    throw Error(ErrorCode::kUsage,
                fmt::format("--imatrix {}: none of its {} statistics fits one of the {} layers ({} of another size)", file_,
                            imatrix_.entries().size(), layers, misfits_.size()),
                "it must have been made with this model, or one of the same shape and architecture");
  }
  std::string note = fmt::format("importance matrix: {} of {} layers are weighted", weighted_, layers);
  if (!without_.empty()) note += fmt::format("; {} without statistics: {}", without_.size(), some_of(without_));
  if (!misfits_.empty()) note += fmt::format("; {} whose statistics have another size: {}", misfits_.size(), some_of(misfits_));
  return note;
}

}  // namespace hf2mlx
