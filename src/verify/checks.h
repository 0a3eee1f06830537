// The checks of a folder's structure. Each looks at one thing, reads no weights, and says what it finds; docs/verify.md lists them all.
#pragma once

#include <map>
#include <string>

#include "arch/registry.h"
#include "hf2mlx/options.h"
#include "verify/findings.h"
#include "verify/folder.h"

namespace hf2mlx {

// weights.*, index.*: the weight files and model.safetensors.index.json against each other.
void check_weight_files(const ModelFolder& folder, Findings& findings);
// architecture.*: tensors against the architecture and config.json, as mlx_lm matches them when it loads.
void check_architecture(const ModelFolder& folder, const SourceOptions& source, const Registry& registry, Findings& findings);
// config.*, quantization.*: config.json as mlx-lm, LM Studio and mlx-swift-lm read it.
void check_config(const ModelFolder& folder, Findings& findings);

// How much of a tokenizer.json, which may have 30 MB, is looked at.
enum class Depth { kQuick, kFull };
// tokenizer.*, template.*, stop.*: tokenizer, chat template and end of text against each other and the model.
void check_tokenizer(const ModelFolder& folder, Depth depth, Findings& findings);
// files.*: what does not belong into a model folder.
void check_left_overs(const ModelFolder& folder, Findings& findings);
// manifest.*: the digests in hf2mlx.json. Reads every file that it lists, and returns the SHA-256 that it has, by path.
std::map<std::string, std::string> check_manifest(const ModelFolder& folder, Progress* progress, const CancelToken* cancel,
                                                  Findings& findings);

}  // namespace hf2mlx
