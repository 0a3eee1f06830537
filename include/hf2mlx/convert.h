// The library in five calls. None of them prints, exits, reads the environment or installs a signal handler; all throw Error.
// Thread-safe: calls share nothing.
#pragma once

#include <string>
#include <vector>

#include "hf2mlx/error.h"
#include "hf2mlx/options.h"
#include "hf2mlx/progress.h"
#include "hf2mlx/report.h"

namespace hf2mlx {

// Converts. The target appears complete or not at all. `progress` and `cancel` may be null.
Report convert(const ConvertOptions& options, Progress* progress = nullptr, const CancelToken* cancel = nullptr);

// Several at once, while the source is read once. `variants` stand in for options.quant and options.output; there must be one at least. All
// targets appear at the end, one after the other. A report for each, in the same order.
std::vector<Report> convert_variants(const ConvertOptions& options, const std::vector<Variant>& variants, Progress* progress = nullptr,
                                     const CancelToken* cancel = nullptr);

// The same as convert up to the first weight: every tensor, encoding, shard, offset and size of the output. Writes nothing. With a budget
// it reads the weights to measure them, which `progress` and `cancel` are for, and writes the file of sensitivities if one is named.
Report plan(const ConvertOptions& options, Progress* progress = nullptr, const CancelToken* cancel = nullptr);

// What a model is and how large it would become. Reads headers only. A model that cannot be converted is described all the same.
Inspection inspect(const SourceOptions& options);

// One line for `archs`.
struct ArchInfo {
  std::string name;                      // of the description
  std::vector<std::string> model_types;  // that it reads, aliases included
  std::string summary;                   // one sentence
  std::vector<std::string> operations;   // of the closed vocabulary that its rules use
};
std::vector<ArchInfo> architectures();

std::string version();

}  // namespace hf2mlx
