// See cachedir_tag.h.
#include "hub/cachedir_tag.h"

#include "hub/tree.h"

namespace hf2mlx {
namespace {

constexpr const char* kContent =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This file is a cache directory tag created by huggingface_hub.\n"
    "# For information about cache directory tags, see:\n"
    "#\thttps://bford.info/cachedir/\n";

}  // namespace

void write_cachedir_tag(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "CACHEDIR.TAG";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) replace_file(path, kContent);
}

}  // namespace hf2mlx
