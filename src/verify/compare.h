// A folder against what a conversion of its source would write: the plan is run as in a conversion, and where that would write a range of a
// tensor, the same range of the folder's tensor is read and compared. Nothing is written, and memory is bounded as in a conversion.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "io/file.h"
#include "plan/plan.h"
#include "source/checkpoint.h"
#include "verify/findings.h"

namespace hf2mlx {

// The tensors of a plan and those of the same names in a folder. `plan` and `stored` must outlive it.
class TensorPairs {
 public:
  TensorPairs(const Plan& plan, const std::vector<StoredTensor>& stored);

  const Plan& plan() const { return plan_; }
  // The folder's tensor for an output of the plan; null where it has none, or one of another shape or type.
  const StoredTensor* find(size_t output) const { return comparable_[output] ? named_[output] : nullptr; }
  // A writer for each shard of the plan. They share this object.
  std::vector<std::unique_ptr<Writer>> writers();
  // What was found, when the plan has been run with the writers.
  Comparison result(Findings& findings) const;

  // Where the folder has other bytes for an output. Thread-safe.
  void compare(size_t output, uint64_t offset_bytes, std::span<const std::byte> wanted);

 private:
  struct Difference {
    uint64_t bytes = 0;
    uint64_t first_byte = UINT64_MAX;
    std::string wanted;  // the element there, in hexadecimal digits
    std::string found;
  };
  void record(size_t output, uint64_t bytes, uint64_t first_byte, std::span<const std::byte> wanted, std::span<const std::byte> found);
  std::string place_of(size_t output) const;
  std::string describe(size_t output, const Difference& difference) const;

  const Plan& plan_;
  std::vector<const StoredTensor*> named_;  // by output
  std::vector<bool> comparable_;
  std::vector<std::string> unexpected_;
  std::mutex mutex_;  // guards what follows
  std::vector<Difference> differences_;
};

// config.json and the files that go along, against those that a conversion would write.
void compare_config(const Json& wanted, const Json& found, Findings& findings);
void compare_files(const Checkpoint& source, const ConvertOptions& options, const std::vector<SideFile>& found, Findings& findings);

}  // namespace hf2mlx
