/// \file Conversions: convert, plan, inspect, and what there is to convert. None of them prints, exits, reads the environment or installs a
/// signal handler; all throw Error. Thread-safe: calls share nothing.
#pragma once

#include <string>
#include <vector>

#include "hf2mlx/error.h"
#include "hf2mlx/export.h"
#include "hf2mlx/options.h"
#include "hf2mlx/progress.h"
#include "hf2mlx/report.h"

namespace hf2mlx {

/// Converts, and downloads first what is of the hub and not here yet. The target appears complete or not at all. Returns when all is done;
/// options.threads threads work meanwhile. `progress` and `cancel` may be null; they must live as long as the call. Throws Error:
/// kUsage for options that contradict each other, a target that exists, and one that another call is writing, whichever process makes it;
/// kNotFound, kUnsupported and kCorrupt for the model, kNoSpace before anything is written where that can be known, kNetwork and kAuth for
/// a download, kIo, kCancelled.
HF2MLX_API Report convert(const ConvertOptions& options, Progress* progress = nullptr, const CancelToken* cancel = nullptr);

/// Several at once, while the source is read once. `variants` stand in for options.quant and options.output; there must be one at least.
/// All targets appear at the end, one after the other. A report for each, in the same order. Throws as convert does.
HF2MLX_API std::vector<Report> convert_variants(const ConvertOptions& options, const std::vector<Variant>& variants,
                                                Progress* progress = nullptr, const CancelToken* cancel = nullptr);

/// The same as convert up to the first weight: every tensor, encoding, shard, offset and size of the output. Writes nothing. With a budget
/// it reads the weights to measure them, which `progress` and `cancel` are for, and writes the file of sensitivities if one is named.
/// Of a model of the hub that is not here, the headers are read there; without options.source.hub it is kNotFound. Throws as convert does,
/// but for what is written; stores nothing of the source.
HF2MLX_API Report plan(const ConvertOptions& options, Progress* progress = nullptr, const CancelToken* cancel = nullptr);

/// What a model is and how large it would become. Reads headers only, at the hub where the model is not here, and stores nothing. A model
/// that cannot be converted is described all the same: why_not says why. Throws Error where there is no model that can be read: kUsage for
/// a name that cannot be one, kNotFound, kCorrupt, kIo, and of the hub kNetwork and kAuth.
HF2MLX_API Inspection inspect(const SourceOptions& options);

/// One line for `archs`.
struct ArchInfo {
  std::string name;                      ///< of the description
  std::vector<std::string> model_types;  ///< that it reads, aliases included
  std::string summary;                   ///< one sentence
  std::vector<std::string> operations;   ///< of the closed vocabulary that its rules use
};
/// Every architecture that is built in, sorted by name. Throws no Error.
HF2MLX_API std::vector<ArchInfo> architectures();

/// Of the library: "1.2.3". Throws no Error.
HF2MLX_API std::string version();

}  // namespace hf2mlx
