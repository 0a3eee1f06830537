#include "pipeline/pipeline.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>

#include "hf2mlx/error.h"
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

// Where a part of a block goes: to the step's output that is `part` places behind its first.
struct Place {
  uint32_t plan;
  uint32_t shard;
  uint64_t offset_bytes;
  uint64_t size_bytes;
};

// Of every part of a block, in the order in which they are written.
class Places {
 public:
  explicit Places(const std::vector<PlanOutput>& outputs) : outputs_(outputs) {}

  std::vector<Place> of(const Piece& piece) const {
    std::vector<Place> places;
    for (const Use& use : piece.uses) add(places, use, piece);
    return places;
  }

 private:
  void add(std::vector<Place>& places, const Use& use, const Piece& piece) const {
    const auto place = [&](uint32_t part, uint64_t begin, uint64_t end) {
      const OutputTensor& tensor = outputs_[use.number].plan.outputs[use.step->first_output + part];
      places.push_back({use.number, tensor.shard, tensor.offset_bytes + begin, end - begin});
    };
    const uint64_t end = piece.begin + piece.count;
    const Dtype dtype = piece.value().dtype();
    if (!use.step->encoding) return place(0, piece.begin * size_of(dtype), end * size_of(dtype));
    const Encoding& e = *use.step->encoding;
    const uint64_t scale = size_of(scale_dtype(e, dtype));
    place(0, packed_words(e, piece.begin) * 4, packed_words(e, end) * 4);
    place(1, groups(e, piece.begin) * scale, groups(e, end) * scale);
    if (has_biases(e)) place(2, groups(e, piece.begin) * scale, groups(e, end) * scale);
  }

  const std::vector<PlanOutput>& outputs_;
};

// Writes blocks to the places that the plans have for them.
class BlockWriter {
 public:
  BlockWriter(const std::vector<PlanOutput>& outputs, RunGuide* guide)
      : outputs_(outputs), places_(outputs), guide_(guide), losses_(outputs.size()) {}

  void write_block(const Piece& piece, const std::byte* values, Buffers& buffers) {
    Writing writing{places_.of(piece), {}, {}, std::vector<Loss>(guide_ ? outputs_.size() : 0)};
    for (const Use& use : piece.uses) {
      if (use.step->encoding)
        write_encoded(use, piece, values, buffers, writing);
      else
        write({values, piece.size_bytes()}, writing);
    }
    if (!guide_) return;
    Sha256State digest = sha256_of(std::as_bytes(std::span(writing.digests)));
    guide_->finished(piece.number, {digest, std::move(writing.losses)});
  }

  std::vector<Loss> losses() const {
    std::vector<Loss> out;
    for (const LossSum& sum : losses_) out.push_back(sum.value());
    return out;
  }

 private:
  // A block on its way.
  struct Writing {
    std::vector<Place> places;
    size_t next;                       // of them
    std::vector<Sha256State> digests;  // of each part so far; only with a guide
    std::vector<Loss> losses;          // of each plan; likewise
  };

  void write(std::span<const std::byte> data, Writing& writing) const {
    const Place& place = writing.places[writing.next++];
    outputs_[place.plan].files[place.shard]->write_at(place.offset_bytes, data);
    if (guide_) writing.digests.push_back(sha256_of(data));
  }

  void write_encoded(const Use& use, const Piece& piece, const std::byte* values, Buffers& buffers, Writing& writing) {
    const EncodedBlock encoded(*use.step, piece, values, buffers);
    write(encoded.packed(), writing);
    write(encoded.scales(), writing);
    if (has_biases(*use.step->encoding)) write(encoded.biases(), writing);
    if (EncodedObserver* observer = outputs_[use.number].observer) {
      observer->observe({*use.step, piece.begin, piece.count, values, encoded.rows()}, buffers.scratch);
    }
    if (!use.step->reencoded) return;
    const LossSum loss = loss_of(*use.step, piece, values, encoded, buffers.scratch);
    if (guide_) writing.losses[use.number] += loss.value();
    const std::lock_guard<std::mutex> lock(mutex_);
    losses_[use.number] += loss;
  }

  const std::vector<PlanOutput>& outputs_;
  const Places places_;
  RunGuide* const guide_;
  std::mutex mutex_;  // guards what follows
  std::vector<LossSum> losses_;
};

// Leaves out the blocks that an earlier run has written.
class Resumption final : public BlockGuide {
 public:
  Resumption(const std::vector<PlanOutput>& outputs, const GuidedRun& run, const CancelToken* cancel)
      : places_(outputs), run_(run), cancel_(cancel), losses_(outputs.size()) {}

  std::vector<uint32_t> arrange(const std::vector<Piece>& blocks) override {
    std::vector<uint32_t> numbers;
    for (const Piece& block : blocks) {
      if (!is_written(block)) numbers.push_back(block.number);
    }
    run_.guide.arrange(blocks, numbers);
    return numbers;
  }
  void finished(uint32_t) override {}

  void add_losses(std::vector<Loss>& losses) const {
    for (size_t i = 0; i < losses.size(); ++i) losses[i] += losses_[i];
  }

 private:
  bool is_written(const Piece& block) {
    const auto record = run_.guide.earlier().find(block.number);
    if (record == run_.guide.earlier().end()) return false;
    if (cancel_ && cancel_->cancelled()) throw Error(ErrorCode::kCancelled, "interrupted");
    std::vector<Sha256State> digests;
    for (const Place& place : places_.of(block)) {
      buffer_.resize(place.size_bytes);
      run_.read_back(place.plan, place.shard, place.offset_bytes, buffer_);
      digests.push_back(sha256_of(buffer_));
    }
    if (sha256_of(std::as_bytes(std::span(digests))) != record->second.digest) return false;
    for (size_t i = 0; i < record->second.losses.size(); ++i) losses_.at(i) += record->second.losses[i];
    return true;
  }

  const Places places_;
  const GuidedRun& run_;
  const CancelToken* const cancel_;
  std::vector<std::byte> buffer_;
  std::vector<Loss> losses_;
};

}  // namespace

std::vector<Loss> run_plans(const std::vector<PlanOutput>& outputs, const PipelineOptions& options, Progress* progress,
                            const CancelToken* cancel, const GuidedRun* guided) {
  BlockWriter writer(outputs, guided ? &guided->guide : nullptr);
  std::optional<Resumption> resumption;
  if (guided) resumption.emplace(outputs, *guided, cancel);
  for_each_block(uses_of(outputs), {options.what, options, progress, cancel, resumption ? &*resumption : nullptr},
                 [&](const Piece& piece, const std::byte* values, Buffers& buffers) { writer.write_block(piece, values, buffers); });
  std::vector<Loss> losses = writer.losses();
  if (resumption) resumption->add_losses(losses);
  return losses;
}

}  // namespace hf2mlx
