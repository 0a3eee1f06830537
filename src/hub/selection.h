// Which files of a repository are downloaded.
#pragma once

#include <string>
#include <vector>

#include "hub/tree.h"

namespace hf2mlx {

struct Patterns {
  std::vector<std::string> include;  // empty: what a conversion needs
  std::vector<std::string> exclude;
};

// What a conversion reads or copies: configs, weights in the form that mlx_lm opens, and what the index names besides.
// Patterns are those of Python's fnmatch; one that ends with '/' means all below that folder.
Tree select_files(const Tree& tree, const Patterns& patterns, const std::vector<std::string>& index_files);

// Error{kUnsupported} where a conversion would find no config.json or no weights.
void check_convertible(const Tree& selected, const Tree& tree, const std::string& repo_id);

}  // namespace hf2mlx
