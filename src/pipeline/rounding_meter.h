// What quantizing changes, layer by layer, while a plan is run: the codes that were chosen and those of plain rounding, decoded, against
// the values.
#pragma once

#include <array>
#include <mutex>
#include <vector>

#include "base/exact_sum.h"
#include "hf2mlx/report.h"
#include "pipeline/pipeline.h"

namespace hf2mlx {

class RoundingMeter final : public EncodedObserver {
 public:
  enum class Sample : uint8_t {
    kAll,
    kSome,  // one value in 8 of a small layer to one in 128 of a large one, in runs of 1024 spread evenly; the first of them always
  };
  // `plan` must outlive it.
  RoundingMeter(const Plan& plan, Sample sample);

  void observe(const EncodedPiece& piece, Scratch& scratch) override { add(piece, piece.encoded, scratch); }
  // Of a piece that is stored otherwise. Thread-safe; takes scratch for the weights of the columns.
  void add(const EncodedPiece& piece, const ConstEncodedRows& stored, Scratch& scratch);
  // When the plan has been run: a line for each layer that was seen, in the plan's order. The same for any number of threads and any
  // memory.
  std::vector<LayerError> layers() const;

 private:
  struct Run;
  struct Group;
  struct Sums {
    ExactSum error_squares;
    ExactSum rounding_squares;
    ExactSum value_squares;
    double worst_ratio = 0;  // of a group: its error squares over its value squares
    uint64_t worst_index = 0;
    std::array<uint64_t, kErrorSteps> group_errors = {};
    uint64_t zeros = 0;
    uint64_t rounding_zeros = 0;
    uint64_t source_zeros = 0;
    uint64_t values = 0;

    void add(const Sums& other);
    void add_run(const Run& run);
    void add_group(const Group& group, uint64_t index);
  };

  const Plan& plan_;
  const Sample sample_;
  std::mutex mutex_;        // guards what follows
  std::vector<Sums> sums_;  // by step, as its first output says
};

}  // namespace hf2mlx
