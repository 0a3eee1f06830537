// See measure.h.
#include "pipeline/measure.h"

#include <mutex>

#include "pipeline/encode.h"

namespace hf2mlx {

std::vector<Loss> measure_losses(const std::vector<Step>& steps, const PipelineOptions& options, Progress* progress,
                                 const CancelToken* cancel) {
  std::vector<Use> uses;
  for (const Step& step : steps) uses.push_back({&step, static_cast<uint32_t>(uses.size())});
  std::mutex mutex;  // guards the sums
  std::vector<LossSum> sums(steps.size());
  for_each_block(uses, {"measuring", options, progress, cancel}, [&](const Piece& piece, const std::byte* values, Buffers& buffers) {
    for (const Use& use : piece.uses) {
      const EncodedBlock encoded(*use.step, piece, values, buffers);
      const LossSum sum = loss_of(*use.step, piece, values, encoded, buffers.scratch);
      const std::lock_guard<std::mutex> lock(mutex);
      sums[use.number] += sum;
    }
  });
  std::vector<Loss> losses;
  for (const LossSum& sum : sums) losses.push_back(sum.value());
  return losses;
}

}  // namespace hf2mlx
