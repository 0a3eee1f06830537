// An importance matrix held against a model: which layer is weighted by which of its statistics.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "arch/description.h"
#include "imatrix/imatrix.h"

namespace hf2mlx {

class Importances {
 public:
  Importances(const std::filesystem::path& file, const Description& description);

  // The weights of the columns of the layer at `path`, a row for all its matrices or one for each; null where there are none that fit.
  TensorRef of(const std::string& path, const Shape& weight);

  // How many layers are weighted, and which are not. Throws Error{kUsage} when none is.
  std::string finish() const;

 private:
  const Imatrix imatrix_;
  const std::string file_;
  const Description& description_;
  uint64_t weighted_ = 0;
  std::vector<std::string> without_;  // no statistics
  std::vector<std::string> misfits_;  // of another size
};

}  // namespace hf2mlx
