#include "writer/index_json.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/json.h"
#include "base/temp_folder.h"
#include "writer/output_file.h"

namespace hf2mlx {
namespace {

std::string index_text(uint64_t size, uint64_t parameters, const std::vector<IndexEntry>& entries) {
  const TempFolder folder;
  OutputFolder out(folder.path());
  out.write("index", [&](OutputFile& file) { write_index(file, size, parameters, entries); });
  return folder.text("index");
}

TEST(IndexJson, ExactText) {
  EXPECT_EQ(index_text(4'511'872, 8'000'000'000,
                       {{"b.weight", "model-00002-of-00002.safetensors"},
                        {"a\"\n\xC3\xA9", "model-00001-of-00002.safetensors"},
                        {"a.Z", "model-00001-of-00002.safetensors"}}),
            R"({
    "metadata": {
        "total_size": 4511872,
        "total_parameters": 8000000000
    },
    "weight_map": {
        "a\"\n\u00e9": "model-00001-of-00002.safetensors",
        "a.Z": "model-00001-of-00002.safetensors",
        "b.weight": "model-00002-of-00002.safetensors"
    }
}
)");
}

TEST(IndexJson, NoTensors) {
  EXPECT_EQ(index_text(0, 0, {}), R"({
    "metadata": {
        "total_size": 0,
        "total_parameters": 0
    },
    "weight_map": {}
}
)");
}

TEST(IndexJson, ManyTensors) {
  std::vector<std::string> names;
  for (int i = 100'000; i-- > 0;) names.push_back("model.layers." + std::to_string(i) + ".weight");
  const std::vector<IndexEntry> entries = [&] {
    std::vector<IndexEntry> out;
    for (const std::string& name : names) out.push_back({name, "model.safetensors"});
    return out;
  }();
  const Json json = Json::parse(index_text(1, 2, entries));
  ASSERT_EQ(json["weight_map"].size(), names.size());
  for (const std::string& name : names) ASSERT_EQ(json["weight_map"][name], "model.safetensors");
}

}  // namespace
}  // namespace hf2mlx
