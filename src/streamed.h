// Weights that are converted while they arrive from the hub.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hf2mlx/options.h"
#include "hf2mlx/progress.h"
#include "hub/remote_model.h"
#include "pipeline/loss.h"
#include "plan/plan.h"
#include "source/checkpoint.h"
#include "targets.h"

namespace hf2mlx {

// Memory of a streamed conversion: for the blocks, and for what is on its way from the hub.
struct StreamMemory {
  PipelineOptions pipeline;
  uint64_t window_bytes;
  size_t windows;
};
// By default 8 MB for each thread, 8 MB to share out, and 34 MB for the network; of a given amount each gets a half.
StreamMemory resolve_stream_memory(const ConvertOptions& options);

// All that decides what a streamed conversion writes and how it is cut into blocks, as one line: the purpose of its folders.
std::string stream_purpose(const RemoteModel& model, const Checkpoint& checkpoint, const std::vector<Plan>& plans,
                           const ConvertOptions& options, const std::vector<Variant>& variants);

// The model's weights can be read for as long as this exists.
class StreamedRun {
 public:
  StreamedRun(RemoteModel& model, const Targets& targets, const ConvertOptions& options);
  ~StreamedRun();

  // Brings the side files, into the first target's work folder, and says where they are.
  void fetch_side_files(Checkpoint& checkpoint, Progress* progress);
  // Writes the weights of all targets, and returns what each has lost, when the checksums of all weight files were right. The folders of
  // the targets stay for the next run unless what went wrong cannot get better.
  std::vector<Loss> write(const Checkpoint& checkpoint, Progress* progress, const CancelToken* cancel);

 private:
  class Parts;

  std::vector<Loss> try_write(const Checkpoint& checkpoint, Progress* progress, const CancelToken* cancel);

  RemoteModel& model_;
  const Targets& targets_;
  const StreamMemory memory_;
  std::unique_ptr<Parts> parts_;  // that the weight files read through
};

}  // namespace hf2mlx
