// The models that one command line asks for: one, or with --variant or several --q-bits more.
#pragma once

#include <string>
#include <vector>

#include "request/convert_options.h"

namespace hf2mlx {

// With their folders: OUT, or OUT-LABEL for each of several, such as OUT-4bit and OUT-mxfp4. `options` are those that convert_options
// gives.
std::vector<Variant> variants_of(const ConvertArguments& arguments, const ConvertOptions& options);

// With the folders that --lm-studio asks for, for a model of that name; `organisation` may be empty.
std::vector<Variant> lm_studio_variants(const ConvertArguments& arguments, const ConvertOptions& options, const Places& places,
                                        const std::string& organisation, const std::string& model);

// What a folder of several is called after: "4bit", "8bit-g32", "mxfp4", "mixed_4_6", "unquantized".
std::string label_of(const QuantOptions& quant);

// Whether the folders have labels, and the reports are a list.
bool asks_for_variants(const ConvertArguments& arguments);

}  // namespace hf2mlx
