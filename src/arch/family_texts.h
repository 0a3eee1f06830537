// The descriptions as they were compiled in; the definition is generated from families/*.arch by cmake/EmbedFamilies.cmake.
#pragma once

#include <cstddef>

namespace hf2mlx {

struct FamilyText {
  const char* name;
  const char* text;
};
extern const FamilyText kFamilyTexts[];
extern const std::size_t kFamilyTextCount;

}  // namespace hf2mlx
