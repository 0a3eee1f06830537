/// \file What a plan says and what a conversion did.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

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
  uint64_t received_bytes = 0;          ///< from the hub, for a model that is read where it is
  double seconds = 0;                   ///< 0 for a plan
};

/// A size that inspection states for one choice of quantization.
struct SizeChoice {
  std::string label;  ///< "4-bit", "mxfp4", "bf16" ...
  uint64_t bytes = 0;
  double bits_per_weight = 0;
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
