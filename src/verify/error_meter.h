// Measures what quantizing has changed, while a plan is run: the folder's codes and those of plain rounding, decoded, against the values.
#pragma once

#include <array>
#include <mutex>
#include <vector>

#include "pipeline/pipeline.h"
#include "verify/compare.h"

namespace hf2mlx {

class ErrorMeter final : public EncodedObserver {
 public:
  explicit ErrorMeter(const TensorPairs& pairs);

  void observe(const EncodedPiece& piece, Scratch& scratch) override;
  // When the plan has been run: a line for each layer that the folder has, in the plan's order.
  std::vector<LayerError> layers() const;

 private:
  // Values that share a scale.
  struct Group {
    const float* before;
    const float* chosen;   // as the folder has them
    const float* rounded;  // as plain rounding would
    uint64_t size;
  };
  struct Sums {
    double error_squares = 0;
    double rounding_squares = 0;
    double value_squares = 0;
    double worst_ratio = 0;  // of a group: its error squares over its value squares
    uint64_t worst_index = 0;
    std::array<uint64_t, kErrorSteps> group_errors = {};
    uint64_t zeros = 0;
    uint64_t source_zeros = 0;
    uint64_t values = 0;

    void add(const Sums& other);
    void add_group(const Group& group, uint64_t index);
  };
  static Sums measure(const EncodedPiece& piece, const ConstEncodedRows& stored);

  const TensorPairs& pairs_;
  std::mutex mutex_;        // guards what follows
  std::vector<Sums> sums_;  // by the first output of a step
};

}  // namespace hf2mlx
