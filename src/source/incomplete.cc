// The error for a model of which files are missing.
#include "source/incomplete.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <span>

namespace hf2mlx {

Error incomplete_model(const std::filesystem::path& folder, const std::vector<std::string>& missing) {
  const char* what = folder.parent_path().filename() == "snapshots" ? "snapshot" : "model";
  return Error(ErrorCode::kNotFound, fmt::format("{}: incomplete {}: missing {}", folder.string(), what, shorten(missing)),
               "download the missing files");
}

std::string shorten(const std::vector<std::string>& words) {
  constexpr size_t kShown = 5;
  if (words.size() <= kShown) return fmt::format("{}", fmt::join(words, ", "));
  return fmt::format("{} and {} more", fmt::join(std::span(words).first(kShown), ", "), words.size() - kShown);
}

}  // namespace hf2mlx
