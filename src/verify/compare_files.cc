// What surrounds the weights, against the source.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "io/file_posix.h"
#include "verify/compare.h"
#include "writer/model_folder.h"

namespace hf2mlx {
namespace {

constexpr const char* kRemedy = "convert the source again, unless the difference is meant";

// Short enough for a line.
std::string shown(const Json& object, const std::string& key) {
  constexpr size_t kMost = 80;
  if (!object.contains(key)) return "nothing";
  const std::string text = object[key].dump(-1, ' ', true);
  return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

void compare_objects(const Json& wanted, const Json& found, const std::string& path, Findings& findings) {
  std::set<std::string> keys;
  for (const Json* object : {&wanted, &found}) {
    for (const auto& [key, value] : object->items()) keys.insert(key);
  }
  for (const std::string& key : keys) {
    const bool both = wanted.contains(key) && found.contains(key);
    if (both && wanted[key] == found[key]) continue;
    if (both && wanted[key].is_object() && found[key].is_object()) {
      compare_objects(wanted[key], found[key], path + key + ".", findings);
      continue;
    }
    findings.warning({.check = "source.config",
                      .place = fmt::format("config.json, {}{}", path, key),
                      .reason = fmt::format("{} found, {} expected", shown(found, key), shown(wanted, key)),
                      .remedy = kRemedy});
  }
}

bool same_bytes(const std::filesystem::path& a, const std::filesystem::path& b) {
  constexpr uint64_t kBlockBytes = 256 << 10;
  const auto first = open_reader(a);
  const auto second = open_reader(b);
  if (first->size() != second->size()) return false;
  std::vector<std::byte> left(kBlockBytes), right(kBlockBytes);
  for (uint64_t at = 0; at < first->size(); at += kBlockBytes) {
    const uint64_t n = std::min(kBlockBytes, first->size() - at);
    first->read_at(at, std::span(left).first(n));
    second->read_at(at, std::span(right).first(n));
    if (std::memcmp(left.data(), right.data(), n) != 0) return false;
  }
  return true;
}

}  // namespace

void compare_config(const Json& wanted, const Json& found, Findings& findings) {
  if (found.is_object()) compare_objects(wanted, found, "", findings);
}

void compare_files(const Checkpoint& source, const ConvertOptions& options, const std::vector<SideFile>& found, Findings& findings) {
  for (const SideFile& file : source.side_files) {
    if (!is_copied(file, options)) continue;
    const auto at =
        std::find_if(found.begin(), found.end(), [&](const SideFile& other) { return other.relative_path == file.relative_path; });
    if (at != found.end() && same_bytes(file.source, at->source)) continue;
    findings.warning({.check = "source.file",
                      .place = file.relative_path,
                      .reason = at == found.end() ? "is in the source and not here" : "has other bytes than in the source",
                      .remedy = "copy it from the source, unless the difference is meant"});
  }
}

}  // namespace hf2mlx
