// The weight files of a model folder and the tensors in them.
#include "source/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "hf2mlx/error.h"
#include "source/incomplete.h"
#include "source/weight_index.h"
#include "source/weight_names.h"
#include "source/weight_selection.h"
#include "tensor/safetensors.h"

namespace hf2mlx {
namespace {

// The tensors of one file.
struct WeightFile {
  std::string name;
  Origin origin;
  std::shared_ptr<const Reader> reader;
  std::vector<StoredTensor> tensors;  // sorted by name
};

WeightFile read_file(const SelectedFile& selected, std::shared_ptr<const Reader> reader) {
  WeightFile file{selected.name, selected.origin, std::move(reader), {}};
  for (TensorEntry& entry : parse_safetensors_header(*file.reader)) {
    file.tensors.push_back({std::move(entry.name), entry.dtype, std::move(entry.shape), file.reader, entry.offset_bytes, entry.size_bytes});
  }
  std::sort(file.tensors.begin(), file.tensors.end(), [](const StoredTensor& a, const StoredTensor& b) { return a.name < b.name; });
  return file;
}

bool has_tensor(const std::vector<WeightFile>& files, Origin origin, const std::string& tensor) {
  return std::any_of(files.begin(), files.end(), [&](const WeightFile& file) {
    const auto found = std::lower_bound(file.tensors.begin(), file.tensors.end(), tensor,
                                        [](const StoredTensor& t, const std::string& name) { return t.name < name; });
    return file.origin == origin && found != file.tensors.end() && found->name == tensor;
  });
}

// Drops or keeps a file that the index does not name.
void settle_extra_file(WeightFile& extra, const std::vector<WeightFile>& files, std::vector<std::string>& notes) {
  const auto known = std::count_if(extra.tensors.begin(), extra.tensors.end(),
                                   [&](const StoredTensor& t) { return has_tensor(files, Origin::kIndex, t.name); });
  if (known == 0) {
    if (!extra.tensors.empty()) notes.push_back(fmt::format("{} is not in the index; its tensors are used, as mlx_lm does", extra.name));
  } else if (static_cast<size_t>(known) == extra.tensors.size()) {
    notes.push_back(fmt::format("{} is ignored: it is not in the index, and all its tensors are in other files", extra.name));
    extra.tensors.clear();
  } else {
    throw Error(ErrorCode::kCorrupt,
                fmt::format("{}: not in the index, has {} tensors that other files have too and {} that no other has, expected all or none",
                            extra.name, known, extra.tensors.size() - static_cast<size_t>(known)),
                "remove the weight files that do not belong to this model");
  }
}

// The file that the index names for a tensor.
std::optional<std::string_view> indexed_file(const WeightIndex* index, const std::string& tensor) {
  if (index == nullptr) return std::nullopt;
  const auto entry = std::lower_bound(index->entries.begin(), index->entries.end(), tensor,
                                      [](const WeightIndex::Entry& e, const std::string& name) { return e.tensor < name; });
  if (entry == index->entries.end() || entry->tensor != tensor) return std::nullopt;
  return index->files[entry->file];
}

const std::string& file_of(const StoredTensor& tensor, const std::vector<WeightFile>& files) {
  return std::find_if(files.begin(), files.end(), [&](const WeightFile& file) { return file.reader == tensor.file; })->name;
}

// Of several tensors of one name, the one in the file that the index names.
StoredTensor& choose(std::span<StoredTensor> same, const std::vector<WeightFile>& files, const WeightIndex* index) {
  const std::optional<std::string_view> wanted = indexed_file(index, same.front().name);
  const auto chosen = std::find_if(same.begin(), same.end(), [&](const StoredTensor& tensor) { return file_of(tensor, files) == wanted; });
  if (chosen != same.end()) return *chosen;
  throw Error(
      ErrorCode::kCorrupt,
      fmt::format("tensor {}: is in {} and in {}, expected in one file", same[0].name, file_of(same[0], files), file_of(same[1], files)),
      "remove the weight files that do not belong to this model");
}

// Sorted by name. In place, as there may be 100,000.
std::vector<StoredTensor> gather(std::vector<WeightFile>& files) {
  size_t count = 0;
  for (const WeightFile& file : files) count += file.tensors.size();
  std::vector<StoredTensor> all;
  all.reserve(count);
  for (WeightFile& file : files) {
    std::move(file.tensors.begin(), file.tensors.end(), std::back_inserter(all));
    file.tensors = {};
  }
  std::sort(all.begin(), all.end(), [](const StoredTensor& a, const StoredTensor& b) {
    const int order = a.name.compare(b.name);
    return order != 0 ? order < 0 : a.file->name() < b.file->name();
  });
  return all;
}

std::vector<StoredTensor> merge(std::vector<WeightFile>& files, const WeightIndex* index, std::vector<std::string>& notes) {
  std::vector<StoredTensor> all = gather(files);
  std::vector<std::string> doubles;
  size_t kept = 0;
  for (size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    while (end < all.size() && all[end].name == all[begin].name) ++end;
    if (end - begin > 1) {
      doubles.push_back(all[begin].name);
      StoredTensor chosen = std::move(choose(std::span(all).subspan(begin, end - begin), files, index));
      all[begin] = std::move(chosen);
    }
    if (kept != begin) all[kept] = std::move(all[begin]);
    ++kept;
  }
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(kept), all.end());
  if (!doubles.empty()) notes.push_back("in several files, read from the one that the index names: " + shorten(doubles));
  return all;
}

void check_index_is_fulfilled(const WeightIndex& index, const std::vector<StoredTensor>& tensors, const ModelFiles& files) {
  std::vector<std::string> missing;
  auto tensor = tensors.begin();
  for (const WeightIndex::Entry& entry : index.entries) {
    while (tensor != tensors.end() && tensor->name < entry.tensor) ++tensor;
    if (tensor == tensors.end() || tensor->name != entry.tensor) missing.push_back(entry.tensor);
  }
  if (missing.empty()) return;
  throw Error(ErrorCode::kCorrupt,
              fmt::format("{}: names {} of which no file has the tensor: {}", (files.place() / kWeightIndexFile).string(),
                          missing.size() == 1 ? "1 entry" : fmt::format("{} entries", missing.size()), shorten(missing)),
              "the index and the weights are of different models; download both again, or delete the index if the weights are right");
}

}  // namespace

std::vector<StoredTensor> read_weights(const ModelFiles& model, std::vector<std::string>& notes) {
  const Selection selection = select_weight_files(model);
  notes.insert(notes.end(), selection.notes.begin(), selection.notes.end());
  const WeightIndex* index = selection.index ? &*selection.index : nullptr;
  std::vector<std::string> names;
  for (const SelectedFile& selected : selection.files) names.push_back(selected.name);
  std::vector<std::shared_ptr<const Reader>> readers = model.open(names);
  std::vector<WeightFile> files;
  for (size_t i = 0; i < names.size(); ++i) files.push_back(read_file(selection.files[i], std::move(readers[i])));
  for (WeightFile& file : files) {
    if (file.origin == Origin::kExtra) settle_extra_file(file, files, notes);
  }
  std::vector<StoredTensor> tensors = merge(files, index, notes);
  if (index) check_index_is_fulfilled(*index, tensors, model);
  return tensors;
}

}  // namespace hf2mlx
