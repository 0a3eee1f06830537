// What mlx-swift-lm can load by its model type.
#pragma once

#include <string_view>

namespace hf2mlx {

inline constexpr const char* kSwiftCommit = "1441444";

// At that commit, for text or for images.
bool has_swift_model(std::string_view model_type);

}  // namespace hf2mlx
