#include "pipeline/pipeline.h"

#include <oneapi/tbb/enumerable_thread_specific.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>

#include "hf2mlx/error.h"
#include "transform/blocks.h"
#include "transform/scratch.h"

namespace hf2mlx {
namespace {

// A stored block is read into memory that stays in a core's second-level cache; a computed one gains from larger tiles.
constexpr uint64_t kStoredBlockBytes = 512 << 10;
constexpr uint64_t kLeastBytesPerThread = 1 << 20;
constexpr uint64_t kBytesPerThread = 8 << 20;
// Shared out on top of that: transposed experts are read in runs as long as a block has rows (0.2 GB/s in 1 MB blocks, 0.6 in 4 MB).
constexpr uint64_t kBytesForAll = 32 << 20;

// A step of the plan with that number.
struct Use {
  const Step* step;
  uint32_t plan;
};

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

// Elements [begin, begin + count) of a value, and the steps that it is for.
struct Piece {
  std::span<const Use> uses;
  uint64_t begin;
  uint64_t count;

  const LazyTensor& value() const { return *uses.front().step->value; }
  uint64_t size_bytes() const { return count * size_of(value().dtype()); }
};

// Cuts the values into pieces, in order. Not thread-safe.
class Cutter {
 public:
  Cutter(std::vector<Use> uses, uint64_t block_bytes) : uses_(std::move(uses)), block_bytes_(block_bytes) {}

  std::optional<Piece> next() {
    while (at_ < uses_.size()) {
      const std::span<const Use> uses = same_value();
      const uint64_t total = element_count(uses.front().step->value->shape());
      if (begin_ < total) {
        const Piece piece{uses, begin_, std::min(block_elements(uses), total - begin_)};
        begin_ += piece.count;
        return piece;
      }
      at_ += uses.size();
      begin_ = 0;
    }
    return std::nullopt;
  }

  // What progress counts up to.
  uint64_t total_bytes() const {
    uint64_t total = 0;
    const LazyTensor* last = nullptr;
    for (const Use& use : uses_) {
      const LazyTensor* value = use.step->value.get();
      if (value != last) total += element_count(value->shape()) * size_of(value->dtype());
      last = value;
    }
    return total;
  }

 private:
  // The steps from `at_` on that have one value.
  std::span<const Use> same_value() const {
    size_t end = at_ + 1;
    while (end < uses_.size() && uses_[end].step->value == uses_[at_].step->value) ++end;
    return {uses_.data() + at_, end - at_};
  }

  // Whole rows where they fit, else whole groups; groups follow each other across rows, in the packed words too.
  uint64_t block_elements(std::span<const Use> uses) const {
    const LazyTensor& value = *uses.front().step->value;
    const uint64_t size = size_of(value.dtype());
    const bool stored = value.stored_at(begin_, 1).has_value();
    const uint64_t fit = (stored ? std::min(block_bytes_, kStoredBlockBytes) : block_bytes_) / size;
    const uint64_t cols = std::max<uint64_t>(cols_of(value.shape()), 1);
    const uint64_t group = common_group(uses);
    const uint64_t unit = cols <= fit ? cols : cols <= block_bytes_ / size ? cols : group;
    return std::max(fit / unit * unit, unit);
  }

  // Group sizes are powers of two, and 32 values of any width are whole words.
  static uint64_t common_group(std::span<const Use> uses) {
    uint64_t group = 1;
    for (const Use& use : uses) {
      if (use.step->encoding) group = std::max<uint64_t>({group, use.step->encoding->group_size, 32});
    }
    return group;
  }

  const std::vector<Use> uses_;
  uint64_t block_bytes_;
  size_t at_ = 0;
  uint64_t begin_ = 0;
};

// One thread's memory: half of it to compute with, a quarter each for values and their encoding.
struct Buffers {
  explicit Buffers(uint64_t bytes) : memory(bytes / 2), scratch(bytes / 2) {}
  Scratch memory;
  Scratch scratch;
};

class Runner {
 public:
  Runner(const std::vector<PlanOutput>& outputs, Progress* progress, const CancelToken* cancel)
      : outputs_(outputs), progress_(progress), cancel_(cancel), losses_(outputs.size()) {}

  void check_cancelled() const {
    if (cancel_ && cancel_->cancelled()) throw Error(ErrorCode::kCancelled, "interrupted");
  }

  void run(const Piece& piece, Buffers& buffers) {
    check_cancelled();
    const Scratch::Block values(buffers.memory, piece.size_bytes());
    piece.value().read(piece.begin, piece.count, values.data(), buffers.scratch);
    for (const Use& use : piece.uses) {
      if (use.step->encoding)
        write_encoded(use, piece, values.data(), buffers);
      else
        write(use, 0, piece.begin * size_of(piece.value().dtype()), values.span());
    }
    report(piece.size_bytes());
  }

  const std::vector<Loss>& losses() const { return losses_; }

 private:
  // To the step's output that is `part` places behind its first.
  void write(const Use& use, uint32_t part, uint64_t offset_bytes, std::span<const std::byte> data) {
    const PlanOutput& output = outputs_[use.plan];
    const OutputTensor& tensor = output.plan.outputs[use.step->first_output + part];
    output.files[tensor.shard]->write_at(tensor.offset_bytes + offset_bytes, data);
  }

  static void encode(const Step& step, const Piece& piece, const std::byte* values, const EncodedRows& out) {
    const Encoding& e = *step.encoding;
    const Dtype dtype = piece.value().dtype();
    if (!step.column_weights) return encode_rows_fitted(e, dtype, values, 1, piece.count, {step.fit}, out);
    const uint64_t cols = cols_of(piece.value().shape());
    const uint64_t scale_size = size_of(scale_dtype(e, dtype));
    // Row by row, as the rows of a stack need not have their weights in common.
    for_each_row_piece(piece.begin, piece.count, cols, cols, [&](const RowPiece& row) {
      const float* weights = column_weights(step, row.row) + row.col;
      const uint64_t scales_at = groups(e, row.done) * scale_size;
      encode_rows_fitted(e, dtype, values + row.done * size_of(dtype), 1, row.cols, {step.fit, weights},
                         {out.packed + packed_words(e, row.done) * 4, out.scales + scales_at, out.biases + scales_at});
    });
  }

  // Those of a row of the step's value.
  static const float* column_weights(const Step& step, uint64_t row) {
    const Shape& shape = step.value->shape();
    const bool one_for_all = step.column_weights->size() == cols_of(shape);
    const uint64_t matrix = one_for_all ? 0 : row / shape[shape.size() - 2];
    return step.column_weights->data() + matrix * cols_of(shape);
  }

  void write_encoded(const Use& use, const Piece& piece, const std::byte* values, Buffers& buffers) {
    const Encoding& e = *use.step->encoding;
    const Dtype dtype = piece.value().dtype();
    const uint64_t scale_size = size_of(scale_dtype(e, dtype));
    const Scratch::Block packed(buffers.memory, packed_words(e, piece.count) * 4);
    const Scratch::Block scales(buffers.memory, groups(e, piece.count) * scale_size);
    const Scratch::Block biases(buffers.memory, has_biases(e) ? scales.span().size() : 0);
    encode(*use.step, piece, values, {packed.data(), scales.data(), biases.data()});
    write(use, 0, packed_words(e, piece.begin) * 4, packed.span());
    write(use, 1, groups(e, piece.begin) * scale_size, scales.span());
    if (has_biases(e)) write(use, 2, groups(e, piece.begin) * scale_size, biases.span());
    if (!use.step->reencoded) return;
    const Loss loss = loss_of(e, dtype, values, piece.count, {packed.data(), scales.data(), biases.data()}, buffers.scratch);
    const std::lock_guard<std::mutex> lock(mutex_);
    losses_[use.plan] += loss;
  }

  void report(uint64_t bytes) {
    if (!progress_) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    done_bytes_ += bytes;
    progress_->advance(done_bytes_);
  }

  const std::vector<PlanOutput>& outputs_;
  Progress* progress_;
  const CancelToken* cancel_;
  std::mutex mutex_;  // guards what follows, and calls of progress_
  uint64_t done_bytes_ = 0;
  std::vector<Loss> losses_;
};

}  // namespace

PipelineOptions resolve_pipeline_options(unsigned threads, uint64_t memory_bytes) {
  PipelineOptions options;
  options.threads = threads ? threads : static_cast<unsigned>(oneapi::tbb::info::default_concurrency());
  options.memory_bytes = memory_bytes ? memory_bytes : options.threads * kBytesPerThread + kBytesForAll;
  if (options.memory_bytes >= kLeastBytesPerThread && options.memory_bytes / options.threads < kLeastBytesPerThread) {
    options.threads = static_cast<unsigned>(options.memory_bytes / kLeastBytesPerThread);
  }
  if (options.memory_bytes < kLeastBytesPerThread) throw Error(ErrorCode::kUsage, "--max-memory: at least 1 MB is needed for buffers");
  return options;
}

std::vector<Loss> run_plans(const std::vector<PlanOutput>& outputs, const PipelineOptions& options, Progress* progress,
                            const CancelToken* cancel) {
  namespace tbb = oneapi::tbb;
  const uint64_t bytes_per_thread = options.memory_bytes / options.threads;
  tbb::enumerable_thread_specific<Buffers> buffers(bytes_per_thread);
  Cutter cutter(uses_of(outputs), bytes_per_thread / 4);
  Runner runner(outputs, progress, cancel);
  const auto cut = [&](tbb::flow_control& control) -> Piece {
    const std::optional<Piece> piece = cutter.next();
    if (!piece) control.stop();
    return piece.value_or(Piece{});
  };
  const auto work = [&](const Piece& piece) { runner.run(piece, buffers.local()); };
  tbb::task_arena arena(static_cast<int>(options.threads));
  if (progress) progress->begin("converting", cutter.total_bytes());
  arena.execute([&] {
    tbb::parallel_pipeline(options.threads, tbb::make_filter<void, Piece>(tbb::filter_mode::serial_in_order, cut) &
                                                tbb::make_filter<Piece, void>(tbb::filter_mode::parallel, work));
  });
  if (progress) progress->end();
  return runner.losses();
}

}  // namespace hf2mlx
