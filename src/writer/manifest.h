// hf2mlx.json: from what, how and into which bytes a folder was converted. Without dates and absolute paths, so that the same conversion
// gives the same file.
#pragma once

#include "source/checkpoint.h"
#include "writer/model_folder.h"

namespace hf2mlx {

inline constexpr const char* kManifestFile = "hf2mlx.json";

// `files` are those written besides the weights; input.weight_digests are added to them.
Json make_manifest(const Checkpoint& checkpoint, const WriterInput& input, const std::map<std::string, FileDigest>& files);

// The files that a manifest lists, by path; those it lists in another form than ours, or outside of the folder, are left out.
std::map<std::string, FileDigest> recorded_files(const Json& manifest);

// The options that a manifest states, into `options`. Returns false, and leaves them incomplete, where it states some that are not known
// here: those of another version.
bool read_options(const Json& manifest, ConvertOptions& options);

}  // namespace hf2mlx
