// All architecture descriptions: those compiled in and, looked at first, those of a folder the user names.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "arch/description.h"

namespace hf2mlx {

// Not thread-safe: descriptions are parsed when first asked for. Files whose name begins with '_' hold blocks that every family may use.
class Registry {
 public:
  explicit Registry(const std::filesystem::path& extra_folder = {});

  // The family of that name with its base merged in. Throws Error{kInternal} when there is none or it is malformed.
  const Description& family(const std::string& name) const;
  // The family that reads this model type; null when there is none.
  const Description* find(const std::string& model_type, const std::vector<std::string>& architectures) const;
  std::vector<std::string> names() const;
  // Model types nearest in spelling, best first.
  std::vector<std::string> nearest(const std::string& model_type, size_t count) const;

 private:
  std::unique_ptr<Description> load(const std::string& name) const;

  std::map<std::string, std::string> texts_;
  mutable std::map<std::string, std::unique_ptr<Description>> parsed_;
};

}  // namespace hf2mlx
