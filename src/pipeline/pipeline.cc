#include "pipeline/pipeline.h"

#include <algorithm>
#include <mutex>
#include <span>
#include <unordered_map>

#include "pipeline/blocks.h"
#include "pipeline/encode.h"

namespace hf2mlx {
namespace {

// The steps of all plans, those of one value beside each other: in the order of the first plan that has the value.
std::vector<Use> uses_of(const std::vector<PlanOutput>& outputs) {
  std::vector<Use> uses;
  for (uint32_t plan = 0; plan < outputs.size(); ++plan) {
    for (const Step& step : outputs[plan].plan.steps) uses.push_back({&step, plan});
  }
  if (outputs.size() == 1) return uses;
  std::unordered_map<const LazyTensor*, size_t> first;
  for (size_t i = 0; i < uses.size(); ++i) first.try_emplace(uses[i].step->value.get(), i);
  std::stable_sort(uses.begin(), uses.end(),
                   [&](const Use& a, const Use& b) { return first.at(a.step->value.get()) < first.at(b.step->value.get()); });
  return uses;
}

// Writes blocks to the places that the plans have for them.
class BlockWriter {
 public:
  explicit BlockWriter(const std::vector<PlanOutput>& outputs) : outputs_(outputs), losses_(outputs.size()) {}

  void write_block(const Piece& piece, const std::byte* values, Buffers& buffers) {
    for (const Use& use : piece.uses) {
      if (use.step->encoding)
        write_encoded(use, piece, values, buffers);
      else
        write(use, 0, piece.begin * size_of(piece.value().dtype()), {values, piece.size_bytes()});
    }
  }

  std::vector<Loss> losses() const {
    std::vector<Loss> out;
    for (const LossSum& sum : losses_) out.push_back(sum.value());
    return out;
  }

 private:
  // To the step's output that is `part` places behind its first.
  void write(const Use& use, uint32_t part, uint64_t offset_bytes, std::span<const std::byte> data) {
    const PlanOutput& output = outputs_[use.number];
    const OutputTensor& tensor = output.plan.outputs[use.step->first_output + part];
    output.files[tensor.shard]->write_at(tensor.offset_bytes + offset_bytes, data);
  }

  void write_encoded(const Use& use, const Piece& piece, const std::byte* values, Buffers& buffers) {
    const Encoding& e = *use.step->encoding;
    const uint64_t scales_at = groups(e, piece.begin) * size_of(scale_dtype(e, piece.value().dtype()));
    const EncodedBlock encoded(*use.step, piece, values, buffers);
    write(use, 0, packed_words(e, piece.begin) * 4, encoded.packed());
    write(use, 1, scales_at, encoded.scales());
    if (has_biases(e)) write(use, 2, scales_at, encoded.biases());
    if (EncodedObserver* observer = outputs_[use.number].observer) {
      observer->observe({*use.step, piece.begin, piece.count, values}, buffers.scratch);
    }
    if (!use.step->reencoded) return;
    const LossSum loss = loss_of(*use.step, piece, values, encoded, buffers.scratch);
    const std::lock_guard<std::mutex> lock(mutex_);
    losses_[use.number] += loss;
  }

  const std::vector<PlanOutput>& outputs_;
  std::mutex mutex_;  // guards what follows
  std::vector<LossSum> losses_;
};

}  // namespace

std::vector<Loss> run_plans(const std::vector<PlanOutput>& outputs, const PipelineOptions& options, Progress* progress,
                            const CancelToken* cancel) {
  BlockWriter writer(outputs);
  for_each_block(uses_of(outputs), {options.what, options, progress, cancel},
                 [&](const Piece& piece, const std::byte* values, Buffers& buffers) { writer.write_block(piece, values, buffers); });
  return writer.losses();
}

}  // namespace hf2mlx
