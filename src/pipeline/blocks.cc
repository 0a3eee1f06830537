// See blocks.h.
#include "pipeline/blocks.h"

#include <oneapi/tbb/enumerable_thread_specific.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "hf2mlx/error.h"
#include "pipeline/handover.h"

namespace hf2mlx {
namespace {

constexpr uint64_t kLeastBytesPerThread = 1 << 20;
constexpr uint64_t kBytesPerThread = 8 << 20;
// Shared out on top of that: transposed experts are read in runs as long as a block has rows (0.2 GB/s in 1 MB blocks, 0.6 in 4 MB).
constexpr uint64_t kBytesForAll = 32 << 20;
// A stored block is read into memory that stays in a core's second-level cache; a computed one gains from larger tiles.
constexpr uint64_t kStoredBlockBytes = 512 << 10;

// Cuts the values into pieces, in order. Not thread-safe.
class Cutter {
 public:
  Cutter(const std::vector<Use>& uses, uint64_t block_bytes) : uses_(uses), block_bytes_(block_bytes) {}

  std::optional<Piece> next() {
    while (at_ < uses_.size()) {
      const std::span<const Use> uses = same_value();
      const uint64_t total = element_count(uses.front().step->value->shape());
      if (begin_ < total) {
        const uint64_t left = std::min(total, end_of_matrix(uses.front().step->value->shape(), block_elements(uses))) - begin_;
        const Piece piece{uses, begin_, std::min(block_elements(uses), left), number_++};
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

  // Of the one that `begin_` lies in; for matrices that are small beside a block it does not matter.
  uint64_t end_of_matrix(const Shape& shape, uint64_t block_elements) const {
    if (shape.size() < 3) return UINT64_MAX;
    const uint64_t matrix = shape[shape.size() - 2] * shape.back();
    return matrix < block_elements / 4 ? UINT64_MAX : (begin_ / matrix + 1) * matrix;
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

  const std::vector<Use>& uses_;
  uint64_t block_bytes_;
  size_t at_ = 0;
  uint64_t begin_ = 0;
  uint32_t number_ = 0;
};

// Gives out blocks as a guide has them, or as they are cut. Not thread-safe.
class Itinerary {
 public:
  Itinerary(Cutter& cutter, BlockGuide* guide) : cutter_(cutter), guide_(guide) {
    if (!guide_) return;
    while (const std::optional<Piece> piece = cutter_.next()) pieces_.push_back(*piece);
    order_ = guide_->arrange(pieces_);
    for (const Piece& piece : pieces_) left_out_bytes_ += piece.size_bytes();
    for (const uint32_t number : order_) left_out_bytes_ -= pieces_[number].size_bytes();
  }

  std::optional<Piece> next() {
    if (!guide_) return cutter_.next();
    return at_ < order_.size() ? std::optional(pieces_[order_[at_++]]) : std::nullopt;
  }
  uint64_t left_out_bytes() const { return left_out_bytes_; }

 private:
  Cutter& cutter_;
  BlockGuide* const guide_;
  std::vector<Piece> pieces_;
  std::vector<uint32_t> order_;
  size_t at_ = 0;
  uint64_t left_out_bytes_ = 0;
};

// Reads blocks, has them worked on, and counts them.
class Runner {
 public:
  Runner(const BlockRun& run, const BlockWork& work, uint64_t done_bytes) : run_(run), work_(work), done_bytes_(done_bytes) {}

  void run(const Piece& piece, Buffers& buffers) {
    if (run_.cancel && run_.cancel->cancelled()) throw Error(ErrorCode::kCancelled, "interrupted");
    const Scratch::Block values(buffers.memory, piece.size_bytes());
    piece.value().read(piece.begin, piece.count, values.data(), buffers.scratch);
    work_(piece, values.data(), buffers);
    if (run_.guide) run_.guide->finished(piece.number);
    report(piece.size_bytes());
  }

 private:
  void report(uint64_t bytes) {
    if (!run_.progress) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    done_bytes_ += bytes;
    run_.progress->advance(done_bytes_);
  }

  const BlockRun& run_;
  const BlockWork& work_;
  std::mutex mutex_;  // guards what follows, and calls of the progress
  uint64_t done_bytes_;
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

void for_each_block(const std::vector<Use>& uses, const BlockRun& run, const BlockWork& work) {
  namespace tbb = oneapi::tbb;
  const uint64_t bytes_per_thread = run.options.memory_bytes / run.options.threads;
  tbb::enumerable_thread_specific<Buffers> buffers(bytes_per_thread);
  const uint64_t block_bytes = run.options.block_bytes ? run.options.block_bytes : bytes_per_thread / 4;
  Cutter cutter(uses, block_bytes);
  Itinerary itinerary(cutter, run.guide);
  Runner runner(run, work, itinerary.left_out_bytes());
  Handover cuts;
  Handover results;
  const auto cut = [&](tbb::flow_control& control) HF2MLX_CALLED_BY_TBB -> Piece {
    cuts.take();
    const std::optional<Piece> piece = itinerary.next();
    if (!piece) control.stop();
    cuts.give();
    return piece.value_or(Piece{});
  };
  const auto work_on = [&](const Piece& piece) HF2MLX_CALLED_BY_TBB {
    cuts.take();
    runner.run(piece, buffers.local());
    results.give();
  };
  // More threads than cores are few threads and a warning of oneTBB on stderr, unless it is told beforehand.
  std::optional<tbb::global_control> allowed;
  if (run.options.threads > static_cast<unsigned>(tbb::info::default_concurrency()))
    allowed.emplace(tbb::global_control::max_allowed_parallelism, run.options.threads);
  tbb::task_arena arena(static_cast<int>(run.options.threads));
  if (run.progress) run.progress->begin(run.label, cutter.total_bytes());
  arena.execute([&] {
    tbb::parallel_pipeline(run.options.threads, tbb::make_filter<void, Piece>(tbb::filter_mode::serial_in_order, cut) &
                                                    tbb::make_filter<Piece, void>(tbb::filter_mode::parallel, work_on));
  });
  cuts.take();
  results.take();
  if (run.progress) run.progress->end();
}

}  // namespace hf2mlx
