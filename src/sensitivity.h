// What each candidate encoding would cost each layer, kept in a file so that it is measured once.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "hf2mlx/options.h"
#include "quant/codec.h"
#include "source/checkpoint.h"

namespace hf2mlx {

// "4:64:affine", as --q-override has it.
std::string spec_of(const Encoding& encoding);

// The squared errors of a layer over the squares of its values, by spec.
using LayerErrors = std::map<std::string, double>;

struct Sensitivity {
  std::string source;                         // what was measured, see below
  std::map<std::string, LayerErrors> layers;  // by path
};

// Tells whether two measurements are of the same source with the same settings: a digest over names, dtypes, shapes and samples of all
// tensors, the importance matrix, and the options that change what is measured. Reads at most 8 KB of each tensor.
std::string measured_source(const Checkpoint& checkpoint, const QuantOptions& quant);

// Null where there is no such file, or it is of another source. Throws Error{kUsage} where the file is something else, so that it is not
// overwritten, and Error{kCorrupt} where it is damaged.
std::optional<Sensitivity> read_sensitivity(const std::filesystem::path& path, const std::string& source);

// Replaces the file as a whole.
void write_sensitivity(const std::filesystem::path& path, const Sensitivity& sensitivity);

}  // namespace hf2mlx
