/// \file Is a model folder complete, will programs load it, and is it what a conversion would write? Like the calls in convert.h: silent,
/// thread-safe, throws Error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hf2mlx/export.h"
#include "hf2mlx/options.h"
#include "hf2mlx/progress.h"
#include "hf2mlx/report.h"

namespace hf2mlx {

enum class Severity {
  kNote,     ///< worth knowing
  kWarning,  ///< mlx-lm loads it, but another program would not, or its text would not be what it should
  kError,    ///< the folder is broken: mlx-lm does not load it, or what it loads is not the model
};
HF2MLX_API std::string_view name_of(Severity severity) noexcept;  ///< "note", "warning", "error"

struct Finding {
  Severity severity = Severity::kNote;
  std::string check;   ///< a stable name, such as "index.missing-file"; docs/verify.md explains each
  std::string place;   ///< the file, and the tensor or key in it
  std::string reason;  ///< what was found, what was expected
  std::string remedy;
  std::vector<std::string> refused_by = {};  ///< programs that do not load the folder for it: "mlx-lm", "mlx-swift-lm", "LM Studio"
};

struct VerifyOptions {
  SourceOptions folder;        ///< what is verified
  SourceOptions source = {};   ///< what it was made of: every tensor is computed again and compared; an empty model: it is not
  bool measure_error = false;  ///< with a source: what quantizing has changed, layer by layer
  unsigned threads = 0;        ///< as in ConvertOptions, these two
  uint64_t max_memory_bytes = 0;
};

/// Tensors of the folder against those of a conversion of the source.
struct Comparison {
  std::string source;       ///< as the user may call it
  uint64_t equal = 0;       ///< tensors that are the same, bit for bit
  uint64_t different = 0;   ///< that are not, or are of another shape or type
  uint64_t missing = 0;     ///< that only the conversion has
  uint64_t unexpected = 0;  ///< that only the folder has
};

struct Verification {
  std::string model;
  std::string model_type;
  std::filesystem::path folder;
  uint64_t tensors = 0;
  uint64_t weight_bytes = 0;
  std::vector<Finding> findings;  ///< errors first, in the order of the checks otherwise
  std::optional<Comparison> comparison;
  std::vector<LayerError> errors;             ///< in layer order
  std::map<std::string, std::string> sha256;  ///< of the files that were hashed to compare them with hf2mlx.json, by path: what they have
  double seconds = 0;

  HF2MLX_API Severity worst() const;  ///< a note where there are no findings
};

/// Errors are thrown where there is nothing to verify; what is wrong with a folder is a finding. Reads every weight only with a
/// source. `progress` and `cancel` may be null. Also throws Error{kCancelled, kIo}, and with a source what convert throws for one.
HF2MLX_API Verification verify(const VerifyOptions& options, Progress* progress = nullptr, const CancelToken* cancel = nullptr);

}  // namespace hf2mlx
