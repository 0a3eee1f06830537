/// \file What a plan says and what a conversion did.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hf2mlx/export.h"

namespace hf2mlx {

/// One tensor of the output, exactly as it will be or was written.
struct TensorReport {
  std::string name;
  std::string dtype;            ///< as safetensors names it
  std::vector<uint64_t> shape;  ///< elements as stored, outermost dimension first; of packed codes: uint32 words
  std::string encoding;         ///< "affine 4-bit g64" for the packed weight of a quantized layer, else empty
  std::string shard;            ///< file name
  uint64_t offset_bytes = 0;    ///< from the beginning of the file
  uint64_t size_bytes = 0;
};

/// What a size costs: one of the best assignments of bits to layers.
struct FrontierPoint {
  uint64_t bytes = 0;  ///< of the weights
  double bits_per_weight = 0;
  double error = 0;  ///< the layers' relative errors together, weighted as docs/quality.md says
  bool chosen = false;
};

/// Steps of an eighth of an octave, from an error of 2^-10 of the values up to as large as these; what is beyond is in the first or last.
inline constexpr size_t kErrorSteps = 80;
inline constexpr int kErrorStepsPerOctave = 8;
/// The relative RMS with which a step begins. Thread-safe.
HF2MLX_API double error_of_step(size_t step) noexcept;

/// What quantizing has changed of one layer, measured on all of its values or on some. Where an importance matrix weights its columns,
/// squares count as much as it says.
struct LayerError {
  std::string layer;     ///< its path: "model.layers.0.mlp.up_proj"
  std::string encoding;  ///< "affine 4-bit g64"
  uint64_t values = 0;
  uint64_t measured = 0;  ///< of these
  bool weighted = false;
  double value_rms = 0;                                 ///< the root of the mean square of the values
  double relative_rms = 0;                              ///< that of the errors, over that of the values
  double rounding_rms = 0;                              ///< the same where every value is rounded to the nearest code, as mlx_lm does
  double worst_group = 0;                               ///< the largest relative RMS of a group of values that share a scale
  uint64_t worst_index = 0;                             ///< which group that is, counted row by row
  std::array<uint64_t, kErrorSteps> group_errors = {};  ///< how many groups have a relative RMS in each step
  double zeros = 0;                                     ///< fraction of the values that are exactly 0 now
  double rounding_zeros = 0;                            ///< would be, rounded to the nearest code
  double source_zeros = 0;                              ///< and were before
};

/// Of all layers together; `worst_index` is that of the worst layer, whose name `layer` gets. Thread-safe; throws no Error.
HF2MLX_API LayerError whole_of(const std::vector<LayerError>& layers);

struct Report {
  std::string model;         ///< as the user may call it: org/name or the folder's name
  std::string architecture;  ///< name of the description used
  std::string model_type;    ///< of config.json
  std::filesystem::path source;
  std::filesystem::path output;
  uint64_t source_bytes = 0;  ///< of the weights
  uint64_t output_bytes = 0;  ///< of the weights
  uint64_t parameters = 0;
  double bits_per_weight = 0;  ///< as mlx_lm counts it: all tensor bytes over parameters
  uint64_t quantized_layers = 0;
  std::vector<std::string> files;       ///< written, relative to `output`
  std::vector<std::string> notes;       ///< what the user should know
  std::vector<TensorReport> tensors;    ///< filled for plans only
  std::vector<FrontierPoint> frontier;  ///< with a budget: sizes that could have been had
  std::vector<LayerError> errors;       ///< of a conversion that chose scales, codes or bits: measured on a sample of the values
  uint64_t received_bytes = 0;          ///< from the hub, for a model that is read where it is
  double seconds = 0;                   ///< 0 for a plan
};

/// A size that inspection states for one choice of quantization.
struct SizeChoice {
  std::string label;  ///< "4-bit", "mxfp4", "unquantized"; "as it is" and "dequantized" of a model that is quantized already
  uint64_t bytes = 0;
  double bits_per_weight = 0;
  std::vector<std::string> options = {};  ///< of convert, that ask for it: "-q", "--q-bits", "4"
};

struct SourceTensor {
  std::string name;
  std::string dtype;
  std::vector<uint64_t> shape;  ///< elements, outermost dimension first
  std::string file;             ///< its name, without a folder
  uint64_t size_bytes = 0;
};

struct Inspection {
  std::string model;
  std::string architecture;  ///< empty when there is none for this model type
  std::string model_type;
  std::string quantization;  ///< of the source: "none", "mlx affine 4-bit", "fp8", ...
  std::string why_not;       ///< empty when it can be converted
  std::filesystem::path source;
  uint64_t source_bytes = 0;
  uint64_t parameters = 0;
  std::vector<std::pair<std::string, uint64_t>> dtypes;  ///< dtype, bytes
  std::vector<SizeChoice> sizes;
  std::vector<SourceTensor> tensors;
  std::vector<std::string> notes;
  uint64_t received_bytes = 0;  ///< from the hub, for a model that is not here
};

}  // namespace hf2mlx
