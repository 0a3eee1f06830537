// hf2mlx.json: from what, how and into which bytes a folder was converted. Without dates and absolute paths, so that the same conversion
// gives the same file.
#pragma once

#include "source/checkpoint.h"
#include "writer/model_folder.h"

namespace hf2mlx {

inline constexpr const char* kManifestFile = "hf2mlx.json";

// `files` are those written besides the weights; input.weight_digests are added to them.
Json make_manifest(const Checkpoint& checkpoint, const WriterInput& input, const std::map<std::string, FileDigest>& files);

}  // namespace hf2mlx
