// The files of a repository at one commit, as the hub lists them and as huggingface_hub keeps that list on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace hf2mlx {

struct TreeEntry {
  std::string path;  // with '/', never leading out of its folder
  uint64_t size_bytes = 0;
  std::string blob_id;  // of Git: SHA-1 of the file, or of the pointer to it where it lies in large-file storage
  std::string sha256;   // of a file in large-file storage, else empty
  std::string xet_hash;

  // What the hub sends as ETag, and the name of the blob in the cache.
  const std::string& etag() const { return sha256.empty() ? blob_id : sha256; }
};

using Tree = std::vector<TreeEntry>;  // sorted by path

// The files in one page of the hub's answer. Error{kCorrupt} for names that lead elsewhere and hashes that are none; `where` begins its
// message.
Tree parse_tree_page(const std::string& text, const std::string& where);
void sort_tree(Tree& tree);

bool is_commit(std::string_view text);  // 40 hexadecimal digits

// <folder>/trees/<commit>.json; nothing when there is none that can be read.
std::optional<Tree> read_tree(const std::filesystem::path& folder, const std::string& commit);
void write_tree(const std::filesystem::path& folder, const std::string& commit, const Tree& tree);

// Writes a small file under another name and renames it: readers see the old content or the new.
void replace_file(const std::filesystem::path& path, std::string_view content);

}  // namespace hf2mlx
