// The files of a model folder that go along unchanged: tokenizer, processor, templates, code, licence, pictures.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "source/checkpoint.h"

namespace hf2mlx {

// Every file, subfolders included, but
//   - weights and weight indexes of any framework, and the folders original, onnx, coreml, openvino, gguf at the top;
//   - config.json and hf2mlx.json, which are written anew, and kQuantizerFiles, which describe the source's weights;
//   - what version control, caches and file managers leave behind: .git*, .cache, refs, .DS_Store, ._*, __pycache__.
// README.md is in the list. Sorted by path. Links are followed, also out of the folder, as in the Hugging Face cache; Error for links that
// lead nowhere or back to themselves. `notes` gets what is left out for another reason.
std::vector<SideFile> list_side_files(const std::filesystem::path& folder, std::vector<std::string>& notes);

// The same by name alone.
bool is_side_file(std::string_view relative_path);

}  // namespace hf2mlx
