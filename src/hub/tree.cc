// See tree.h.
#include "hub/tree.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "base/system_error.h"
#include "io/file_posix.h"

namespace hf2mlx {
namespace {

namespace fs = std::filesystem;

constexpr int kFormatVersion = 1;
constexpr size_t kSha1Digits = 40;
constexpr size_t kSha256Digits = 64;

bool is_hex(std::string_view text, size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// Names and hashes become paths on this machine.
bool is_safe_path(std::string_view path) {
  if (path.empty() || path.find('\0') != path.npos || path.find('\\') != path.npos) return false;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

void check(const TreeEntry& entry, const std::string& where) {
  constexpr const char* kHint = "the owner of the repository has to rename the file";
  if (!is_safe_path(entry.path)) throw Error(ErrorCode::kCorrupt, fmt::format("{}: found the file name '{}'", where, entry.path), kHint);
  if (!is_hex(entry.blob_id, kSha1Digits) || (!entry.sha256.empty() && !is_hex(entry.sha256, kSha256Digits))) {
    throw Error(ErrorCode::kCorrupt,
                fmt::format("{}: {}: found the hash '{}', expected hexadecimal digits", where, entry.path, entry.etag()));
  }
}

TreeEntry from_hub(const Json& item) {
  TreeEntry entry;
  entry.path = item.at("path");
  entry.size_bytes = item.at("size");
  entry.blob_id = item.at("oid");
  if (const auto lfs = item.find("lfs"); lfs != item.end() && lfs->is_object()) {
    entry.sha256 = lfs->at("oid");
    entry.size_bytes = lfs->at("size");
  }
  if (const auto xet = item.find("xetHash"); xet != item.end() && xet->is_string()) entry.xet_hash = *xet;
  return entry;
}

TreeEntry from_file(const std::string& path, const Json& item) {
  return {path, item.value("lfs_size", item.at("size").get<uint64_t>()), item.at("blob_id"), item.value("lfs_sha256", ""),
          item.value("xet_hash", "")};
}

fs::path tree_file(const fs::path& folder, const std::string& commit) { return folder / "trees" / (commit + ".json"); }

}  // namespace

Tree parse_tree_page(const std::string& text, const std::string& where) {
  Tree tree;
  try {
    for (const Json& item : parse_json(text, where)) {
      if (item.at("type") == "file") tree.push_back(from_hub(item));
    }
  } catch (const Json::exception& problem) {
    throw Error(ErrorCode::kCorrupt, fmt::format("{}: {}", where, problem.what()), "check HF_ENDPOINT: is it a Hugging Face hub?");
  }
  for (const TreeEntry& entry : tree) check(entry, where);
  return tree;
}

void sort_tree(Tree& tree) {
  std::sort(tree.begin(), tree.end(), [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
}

bool is_commit(std::string_view text) { return is_hex(text, kSha1Digits); }

std::optional<Tree> read_tree(const fs::path& folder, const std::string& commit) {
  const fs::path path = tree_file(folder, commit);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  try {
    const Json json = read_json_file(path);
    if (json.at("format_version") != kFormatVersion) return std::nullopt;
    Tree tree;
    for (const auto& [name, item] : json.at("files").items()) {
      tree.push_back(from_file(name, item));
      check(tree.back(), path.string());
    }
    return tree;  // keys of an object are sorted
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void write_tree(const fs::path& folder, const std::string& commit, const Tree& tree) {
  using Ordered = nlohmann::ordered_json;
  Ordered files = Ordered::object();
  for (const TreeEntry& entry : tree) {
    Ordered item = {{"size", entry.size_bytes}, {"blob_id", entry.blob_id}};
    if (!entry.sha256.empty()) item.update(Ordered{{"lfs_sha256", entry.sha256}, {"lfs_size", entry.size_bytes}});
    if (!entry.xet_hash.empty()) item["xet_hash"] = entry.xet_hash;
    files[entry.path] = std::move(item);
  }
  const Ordered json = {{"format_version", kFormatVersion}, {"files", std::move(files)}};
  constexpr bool kOnlyAscii = true;
  replace_file(tree_file(folder, commit), json.dump(1, ' ', kOnlyAscii));
}

void replace_file(const fs::path& path, std::string_view content) {
  static std::atomic<unsigned> number = 0;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  throw_if(error, path.parent_path().string() + ": folder cannot be made");
  const fs::path temporary = fmt::format("{}.{}-{}.tmp", path.string(), ::getpid(), number++);
  write_file(temporary, content);
  fs::rename(temporary, path, error);
  throw_if(error, path.string() + ": cannot be replaced");
}

}  // namespace hf2mlx
