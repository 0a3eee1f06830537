// The commands of the program as functions from JSON to JSON: what the C interface is made of.
#pragma once

#include <string_view>

#include "base/json.h"
#include "hf2mlx/progress.h"

namespace hf2mlx {

enum class Call { kConvert, kPlan, kInspect, kDownload, kUpload, kVerify, kWhere, kList, kArchs };

// `options` is a JSON object as json_options.h says; empty text stands for {}. Its key "environment" is an object of variables, of which
// the places of models follow as hf2mlx/places.h says; without it nothing is looked for in a cache, and nothing is downloaded. The result
// is what the program prints with --json. `progress` and `cancel` may be null. Throws Error, and what the standard library throws.
Json perform(Call call, std::string_view options, Progress* progress, const CancelToken* cancel);

}  // namespace hf2mlx
