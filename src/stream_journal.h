// What a streamed conversion has finished, so that the next run goes on from there: blocks that are written, and how far the files are
// hashed. It is never taken at its word: blocks are read back, and a file whose hash went wrong ends with the wrong checksum.
#pragma once

#include <filesystem>
#include <optional>
#include <unordered_map>
#include <vector>

#include "hub/weight_stream.h"
#include "io/record_log.h"
#include "pipeline/pipeline.h"

namespace hf2mlx {

// Thread-safe once it is made.
class StreamJournal final : public StreamLedger {
 public:
  // Reads what is there. `plans` of the conversion: a block's record has a loss for each.
  StreamJournal(const std::filesystem::path& path, size_t plans);

  const std::unordered_map<uint32_t, BlockRecord>& blocks() const { return blocks_; }  // that an earlier run has written

  std::vector<Sha256State> known(uint32_t file) override;
  void hashed(uint32_t file, uint32_t window, const Sha256State& state) override;
  void written(uint32_t number, const BlockRecord& record);

 private:
  void take(const Record& record, size_t plans);

  std::unordered_map<uint32_t, BlockRecord> blocks_;
  std::unordered_map<uint32_t, std::vector<Sha256State>> states_;  // of each file
  std::optional<RecordLog> log_;
};

}  // namespace hf2mlx
