// See index_json.h. A document of 100,000 entries would take many times its text as a Json value, so it is laid out by hand.
#include "writer/index_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/json.h"
#include "writer/output_file.h"

namespace hf2mlx {
namespace {

std::string quoted(std::string_view text) { return Json(text).dump(-1, ' ', true); }

std::vector<uint32_t> sorted_by_tensor(std::span<const IndexEntry> entries) {
  std::vector<uint32_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return entries[a].tensor < entries[b].tensor; });
  return order;
}

}  // namespace

void write_index(OutputFile& out, uint64_t total_size_bytes, uint64_t total_parameters, std::span<const IndexEntry> entries) {
  out.append(fmt::format("{{\n    \"metadata\": {{\n        \"total_size\": {},\n        \"total_parameters\": {}\n    }},\n",
                         total_size_bytes, total_parameters));
  out.append("    \"weight_map\": {");
  const char* separator = "\n";
  for (const uint32_t i : sorted_by_tensor(entries)) {
    out.append(fmt::format("{}        {}: {}", separator, quoted(entries[i].tensor), quoted(entries[i].shard)));
    separator = ",\n";
  }
  out.append(entries.empty() ? "}\n}\n" : "\n    }\n}\n");
}

}  // namespace hf2mlx
