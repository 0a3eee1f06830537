// Measures what quantizing has changed in a folder, while its plan is run: the folder's codes against the values.
#pragma once

#include <vector>

#include "pipeline/pipeline.h"
#include "pipeline/rounding_meter.h"
#include "verify/compare.h"

namespace hf2mlx {

class ErrorMeter final : public EncodedObserver {
 public:
  explicit ErrorMeter(const TensorPairs& pairs) : pairs_(pairs), meter_(pairs.plan(), RoundingMeter::Sample::kAll) {}

  void observe(const EncodedPiece& piece, Scratch& scratch) override;
  // When the plan has been run: a line for each layer that the folder has, in the plan's order.
  std::vector<LayerError> layers() const { return meter_.layers(); }

 private:
  const TensorPairs& pairs_;
  RoundingMeter meter_;
};

}  // namespace hf2mlx
