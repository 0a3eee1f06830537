// Collects what the checks find.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hf2mlx/verify.h"

namespace hf2mlx {

// The programs that a finding may name.
inline constexpr const char* kMlxLm = "mlx-lm";
inline constexpr const char* kLmStudio = "LM Studio";
inline constexpr const char* kSwift = "mlx-swift-lm";

// Everything that loads MLX models.
inline std::vector<std::string> everyone() { return {kMlxLm, kLmStudio, kSwift}; }

class Findings {
 public:
  void error(Finding finding) { add(Severity::kError, std::move(finding)); }
  void warning(Finding finding) { add(Severity::kWarning, std::move(finding)); }
  void note(Finding finding) { add(Severity::kNote, std::move(finding)); }

  bool has_errors() const { return errors_ > 0; }
  // Errors first, then warnings; in the order of the checks otherwise.
  std::vector<Finding> take();

 private:
  void add(Severity severity, Finding finding);

  std::vector<Finding> found_;
  size_t errors_ = 0;
};

}  // namespace hf2mlx
