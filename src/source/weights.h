// The weight files of a model and the tensors in them.
//
// mlx_lm loads every model*.safetensors of the folder and never looks at model.safetensors.index.json. The tensors found here are the same,
// but what it would get wrong or load by chance is settled with the index:
//   - An index that names a file that is not there: an incomplete download, an error. When none of its files is there but other
//     model*.safetensors are, the index is left over from another form of the model, and is ignored with a note.
//   - An index that names a tensor that no file has: an error.
//   - A tensor that the index does not name but its files have: loaded.
//   - A model*.safetensors that the index does not name: ignored with a note when all its tensors are in the files of the index (a second
//   copy);
//     loaded with a note when none is; an error otherwise.
//   - A tensor in two files: that of the file the index names for it; an error without an index.
//   - Files numbered -0000i-of-0000n without an index: an error unless all n are there.
#pragma once

#include <string>
#include <vector>

#include "source/checkpoint.h"
#include "source/model_files.h"

namespace hf2mlx {

// Reads all headers. The tensors are sorted by name, their names are unique. Adds to `notes` what the user should know.
std::vector<StoredTensor> read_weights(const ModelFiles& model, std::vector<std::string>& notes);

}  // namespace hf2mlx
