// From what a user calls a model to the folder it is in.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hf2mlx/options.h"

namespace hf2mlx {

struct Location {
  std::filesystem::path folder;  // links resolved
  std::string name;              // these four as in Checkpoint
  std::string organisation;
  std::string repo_id;
  std::string commit;
  std::vector<std::string> notes;
};

// A folder that exists comes first; then org/name[@revision] in the cache. A repository's folder in a cache and a snapshot in it may also
// be named by their paths.
Location locate_model(const SourceOptions& options);

struct RepoName {
  std::string repo_id;
  std::string revision;  // empty: main
};

// "org/name@revision" taken apart. Error{kUsage} when another revision is given as well.
RepoName split_repo_name(const std::string& text, const std::string& revision);
// What the model is called on the hub; nothing for a path that exists and for what is not of the form org/name.
std::optional<RepoName> repo_of_model(const SourceOptions& options);
// Name and organisation alone.
Location unlocated(const RepoName& repo);

}  // namespace hf2mlx
