// See streamed.h.
#include "streamed.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "hf2mlx/error.h"
#include "hub/weight_stream.h"
#include "io/digest.h"
#include "io/file_posix.h"
#include "pipeline/pipeline.h"
#include "pipeline/source_order.h"
#include "source/side_files.h"
#include "stream_journal.h"
#include "writer/manifest.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLeastMemoryBytes = 8 << 20;
constexpr uint64_t kLeastBlockBytes = 256 << 10;  // fits where memory is least, whatever the number of threads
constexpr uint64_t kWindowUnit = 64 << 10;

void add_text(Digest& digest, std::string_view text) {
  digest.update(std::as_bytes(std::span(text.data(), text.size())));
  digest.update(std::as_bytes(std::span("\n", 1)));
}

std::string sha256_of_file(const fs::path& path) { return digest_of(Digest(Hash::kSha256), *open_reader(path)); }

void add_folder(Digest& digest, const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    add_text(digest, file.filename().string() + "\n" + sha256_of_file(file));
  }
}

// Small weight files that are not in large-file storage, once they are on the disk.
class StoredFile final : public RemoteBytes {
 public:
  explicit StoredFile(const fs::path& path) : reader_(open_reader(path)) {}
  void read(const RemoteFile&, uint64_t offset, std::span<std::byte> out) override { reader_->read_at(offset, out); }

 private:
  const std::unique_ptr<Reader> reader_;
};

// Has the blocks follow the source, and tells stream and journal what is finished.
class StreamGuide final : public RunGuide {
 public:
  StreamGuide(WeightStream& stream, StreamJournal& journal, SourceOrder order)
      : stream_(stream), journal_(journal), order_(std::move(order)) {}

  const std::unordered_map<uint32_t, BlockRecord>& earlier() const override { return journal_.blocks(); }

  void arrange(const std::vector<Piece>& blocks, std::vector<uint32_t>& numbers) override {
    std::vector<BlockSource> sources;
    for (const uint32_t number : numbers) sources.push_back(order_->find(blocks[number]));
    std::vector<uint32_t> places(numbers.size());
    std::iota(places.begin(), places.end(), 0u);
    std::stable_sort(places.begin(), places.end(), [&](uint32_t a, uint32_t b) { return sources[a].position < sources[b].position; });
    place_of_.resize(blocks.size());
    std::vector<uint32_t> ordered;
    for (const uint32_t place : places) {
      place_of_[numbers[place]] = static_cast<uint32_t>(ordered.size());
      ordered.push_back(numbers[place]);
      stream_.expect(sources[place].spans);
    }
    numbers = std::move(ordered);
    order_.reset();
    stream_.start();
  }

  void finished(uint32_t number, const BlockRecord& record) override {
    journal_.written(number, record);
    stream_.finished(place_of_[number]);
  }

 private:
  WeightStream& stream_;
  StreamJournal& journal_;
  std::optional<SourceOrder> order_;  // has memory that is not needed later
  std::vector<uint32_t> place_of_;    // by number
};

bool can_get_better(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCancelled:
    case ErrorCode::kNetwork:
    case ErrorCode::kAuth:
    case ErrorCode::kNotFound:
    case ErrorCode::kNoSpace:
    case ErrorCode::kIo:
      return true;
    default:
      return false;
  }
}

bool has_size(const fs::path& path, uint64_t size_bytes) {
  std::error_code error;
  return fs::is_regular_file(path, error) && fs::file_size(path, error) == size_bytes;
}

// The shards of a plan, with what an interrupted run has written of them.
std::vector<std::unique_ptr<Writer>> open_shards(const Target& target) {
  std::vector<std::unique_ptr<Writer>> files;
  for (const Shard& shard : target.plan.shards) {
    const fs::path path = target.staged.path() / shard.file_name;
    if (has_size(path, shard.size_bytes)) {
      files.push_back(reopen_writer(path));
    } else {
      std::error_code ignored;
      fs::remove(path, ignored);
      files.push_back(create_writer(path, shard.size_bytes));
    }
    files.back()->write_at(0, std::as_bytes(std::span(shard.header)));
  }
  return files;
}

// Blocks come in the order of the source, and some are of an earlier run, so all is read back.
void take_digests(Target& target) {
  for (const Shard& shard : target.plan.shards) {
    const fs::path path = target.staged.path() / shard.file_name;
    target.weight_digests[shard.file_name] = {shard.size_bytes, target.hashes_weights() ? sha256_of_file(path) : ""};
  }
}

}  // namespace

StreamMemory resolve_stream_memory(const ConvertOptions& options) {
  constexpr uint64_t kForAll = 8 << 20;
  constexpr uint64_t kForEachThread = 8 << 20;
  const StreamOptions usual;
  const uint64_t given = options.max_memory_bytes;
  if (given > 0 && given < kLeastMemoryBytes) throw Error(ErrorCode::kUsage, "--max-memory: at least 8 MB are needed with --stream");
  const unsigned threads = resolve_pipeline_options(options.threads, 0).threads;
  StreamMemory memory{resolve_pipeline_options(options.threads, given ? given / 2 : threads * kForEachThread + kForAll), usual.window_bytes,
                      usual.windows};
  memory.pipeline.block_bytes = given ? kLeastBlockBytes : usual.window_bytes;
  if (given) {
    const uint64_t share = given / 2 / (usual.windows + 3) / kWindowUnit * kWindowUnit;
    memory.window_bytes = std::clamp(share, kWindowUnit, usual.window_bytes);
  }
  return memory;
}

std::string stream_purpose(const RemoteModel& model, const Checkpoint& checkpoint, const std::vector<Plan>& plans,
                           const ConvertOptions& options, const std::vector<Variant>& variants) {
  const StreamMemory memory = resolve_stream_memory(options);
  Digest digest(Hash::kSha256);
  add_text(digest, fmt::format("{} {} {}", HF2MLX_VERSION, memory.window_bytes, memory.pipeline.block_bytes));
  for (const auto& file : model.weights()) add_text(digest, fmt::format("{} {}", file->entry().path, file->entry().etag()));
  for (size_t i = 0; i < plans.size(); ++i) {
    const ConvertOptions own = options_of(options, variants[i]);
    add_text(digest, dump_json(make_manifest(checkpoint, {.options = own}, {})));
    add_text(digest, dump_json(plans[i].config));
    for (const Shard& shard : plans[i].shards) add_text(digest, shard.file_name + "\n" + shard.header);
    if (!own.quant.imatrix.empty()) add_text(digest, sha256_of_file(own.quant.imatrix));
  }
  if (!options.source.arch_dir.empty()) add_folder(digest, options.source.arch_dir);
  return fmt::format("stream {} {}", model.commit(), digest.finish());
}

class StreamedRun::Parts {
 public:
  std::unique_ptr<StreamJournal> journal;
  std::unique_ptr<WeightStream> stream;
  std::vector<std::unique_ptr<StoredFile>> stored;
};

StreamedRun::StreamedRun(RemoteModel& model, const Targets& targets, const ConvertOptions& options)
    : model_(model), targets_(targets), memory_(resolve_stream_memory(options)), parts_(std::make_unique<Parts>()) {}

StreamedRun::~StreamedRun() = default;

void StreamedRun::fetch_side_files(Checkpoint& checkpoint, Progress* progress) {
  const fs::path folder = targets_.front()->staged.work_folder() / "source";
  fs::create_directories(folder);
  model_.fetch_side_files(folder, progress);
  checkpoint.side_files = list_side_files(folder, checkpoint.notes);
}

std::vector<Loss> StreamedRun::write(const Checkpoint& checkpoint, Progress* progress, const CancelToken* cancel) {
  try {
    return try_write(checkpoint, progress, cancel);
  } catch (const Error& error) {
    if (!can_get_better(error.code())) {
      for (const auto& target : targets_) target->staged.give_up();
    }
    if (error.code() != ErrorCode::kCancelled) throw;
    throw Error(ErrorCode::kCancelled, "interrupted",
                fmt::format("what is finished stays in {}; the same command goes on from there", targets_.front()->staged.path().string()));
  } catch (...) {
    for (const auto& target : targets_) target->staged.give_up();
    throw;
  }
}

std::vector<Loss> StreamedRun::try_write(const Checkpoint& checkpoint, Progress* progress, const CancelToken* cancel) {
  for (const auto& target : targets_) target->staged.keep();
  const fs::path work = targets_.front()->staged.work_folder();
  const bool is_continued = std::all_of(targets_.begin(), targets_.end(), [](const auto& target) { return target->staged.is_continued(); });
  if (!is_continued) {
    std::error_code ignored;
    fs::remove(work / "journal", ignored);
  }
  parts_->journal = std::make_unique<StreamJournal>(work / "journal", targets_.size());
  std::vector<std::shared_ptr<RemoteFile>> streamed;
  for (const auto& file : model_.weights()) {
    if (!file->entry().sha256.empty()) {
      streamed.push_back(file);
    } else {
      parts_->stored.push_back(std::make_unique<StoredFile>(work / "source" / file->entry().path));
      file->read_through(*parts_->stored.back());
    }
  }
  parts_->stream =
      std::make_unique<WeightStream>(model_.link(), streamed, *parts_->journal,
                                     StreamOptions{memory_.window_bytes, memory_.windows, memory_.pipeline.threads, work / "overflow"});
  std::vector<const Reader*> readers;
  for (const auto& file : streamed) readers.push_back(file.get());
  StreamGuide guide(*parts_->stream, *parts_->journal,
                    SourceOrder(checkpoint.tensors, readers, memory_.window_bytes * memory_.windows / 2));
  std::vector<PlanOutput> outputs;
  for (const auto& target : targets_) {
    // What an earlier run has written is not measured, and a part of it would say nothing of the whole.
    if (!parts_->journal->blocks().empty()) target->meter.reset();
    outputs.push_back({target->plan, open_shards(*target), target->meter ? &*target->meter : nullptr});
  }
  const ReadBack read_back = [&](size_t plan, uint32_t shard, uint64_t offset, std::span<std::byte> out) {
    const Target& target = *targets_[plan];
    open_reader(target.staged.path() / target.plan.shards[shard].file_name)->read_at(offset, out);
  };
  if (progress && !parts_->journal->blocks().empty()) progress->note("an interrupted run is gone on with");
  const GuidedRun guided{guide, read_back};
  std::vector<Loss> losses = run_plans(outputs, memory_.pipeline, progress, cancel, &guided);
  parts_->stream->finish();
  for (const auto& target : targets_) take_digests(*target);
  return losses;
}

}  // namespace hf2mlx
