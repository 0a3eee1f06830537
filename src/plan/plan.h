// The whole output, known before the first weight is read: every tensor's dtype, shape, file and offset, and what it is made of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "hf2mlx/options.h"
#include "quant/codec.h"
#include "quant/fit.h"
#include "tensor/lazy.h"

namespace hf2mlx {

struct OutputTensor {
  std::string name;
  Dtype dtype;
  Shape shape;
  uint32_t shard = 0;
  uint64_t offset_bytes = 0;  // from the beginning of the shard
  uint64_t size_bytes() const { return element_count(shape) * size_of(dtype); }
};

// How one or, when encoded, two or three consecutive output tensors (weight, scales, biases) come about.
struct Step {
  TensorRef value;
  std::optional<Encoding> encoding;
  uint32_t first_output = 0;
  bool reencoded = false;  // `value` is decoded from an encoding of the source, so what this one loses comes on top
  Fit fit = Fit::kNearest;
  // How much the squared error of each column counts, F32: one row for all matrices of a stack, or a row for each. Null: all alike.
  TensorRef column_weights = nullptr;
};

struct Shard {
  std::string file_name;
  std::string header;  // the bytes before the data
  uint64_t size_bytes = 0;
};

// A layer whose encoding is neither the model's choice nor the user's.
struct OpenLayer {
  std::string path;
  std::string purpose;  // see layer_purpose.h
  uint32_t step;        // of the plan
};

struct Plan {
  std::string architecture;           // name of the description
  std::vector<Step> steps;            // in layer order
  std::vector<OutputTensor> outputs;  // likewise
  std::vector<Shard> shards;
  Json config;                // as mlx_lm's would be before it is saved
  uint64_t parameters = 0;    // of the model, whatever their encoding
  uint64_t output_bytes = 0;  // of all tensors
  uint64_t quantized_layers = 0;
  uint64_t reencoded_layers = 0;  // of these, for the second time
  bool keeps_vision = false;      // the vision tower is part of the output
  std::vector<std::string> notes;
  std::vector<OpenLayer> open_layers;  // with a budget
  LayerChoices choices;                // of a predicate
  uint64_t blocks = 1;                 // the model's layers, as papers count them
  bool loses_twice() const {
    return std::any_of(steps.begin(), steps.end(), [](const Step& step) { return step.reencoded; });
  }
  double bits_per_weight() const { return parameters ? 8.0 * static_cast<double>(output_bytes) / static_cast<double>(parameters) : 0; }
};

}  // namespace hf2mlx
