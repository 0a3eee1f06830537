// "did you mean": the known word nearest to a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hf2mlx {

// Insertions, deletions, replacements and swaps of neighbours that separate two words.
size_t edit_distance(std::string_view a, std::string_view b);

// The nearest candidate, or empty when none is near enough to be what was meant. A candidate that `word` abbreviates counts as near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// "did you mean X?" or `otherwise`.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates, const std::string& otherwise);

}  // namespace hf2mlx
