// What a conversion of org/name needs, from the hub.
#pragma once

#include "hf2mlx/options.h"
#include "hf2mlx/progress.h"
#include "hub/downloader.h"
#include "io/space_posix.h"
#include "source/locate.h"

namespace hf2mlx {

// Downloads what the cache lacks of the model; nothing for a folder, for a model that is complete in the cache, and without an endpoint.
// Where the network fails and a conversion is possible all the same, that is a note. `progress` and `cancel` may be null.
// `others` is what else must fit beside the download.
void fetch_model(const SourceOptions& source, const std::vector<SpaceNeed>& others, const ConnectionFactory& connect, Progress* progress,
                 const CancelToken* cancel);
// The same by libcurl.
void fetch_model(const SourceOptions& source, const std::vector<SpaceNeed>& others, Progress* progress, const CancelToken* cancel);

// Whether the cache has what a conversion cannot do without: weights and configuration.
bool is_in_cache(const SourceOptions& source, const RepoName& repo);

}  // namespace hf2mlx
