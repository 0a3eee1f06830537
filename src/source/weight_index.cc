// Reading model.safetensors.index.json.
#include "source/weight_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/json_events.h"
#include "base/text_file.h"
#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

constexpr const char* kHint = "download the index again, or delete it: it is not needed where the weights are complete";

// Numbers the file names and keeps the pairs of weight_map; everything else is skipped.
class IndexEvents final : public JsonEvents {
 public:
  using JsonEvents::JsonEvents;

  WeightIndex take() {
    if (!has_map_) fail("found no weight_map, expected one");
    return sorted();
  }

  bool string(string_t& value) override {
    if (!in_map_) return other_value();
    const uint32_t file = number_of(value);
    index_.entries.push_back({std::move(tensor_), file});
    return true;
  }

  bool start_object(std::size_t) override {
    if (in_map_) fail_value();
    ++depth_;
    if (depth_ == 2 && tensor_ == "weight_map") in_map_ = has_map_ = true;
    return true;
  }

  bool end_object() override {
    --depth_;
    in_map_ = false;
    return true;
  }

  bool start_array(std::size_t) override {
    other_value();
    ++depth_;
    return true;
  }

  bool end_array() override {
    --depth_;
    return true;
  }

  bool key(string_t& name) override {
    if (in_map_ || depth_ == 1) tensor_ = std::move(name);
    return true;
  }

 private:
  bool other_value() override {
    if (in_map_) fail_value();
    if (depth_ == 0) fail("found another value, expected an object");
    if (depth_ == 1 && tensor_ == "weight_map") fail("weight_map is another value, expected an object");
    return true;
  }

  uint32_t number_of(const std::string& file) {
    const auto [known, is_new] = numbers_.try_emplace(file, static_cast<uint32_t>(numbers_.size()));
    if (is_new) check_inside(file);
    return known->second;
  }

  void check_inside(const std::string& file) const {
    const std::filesystem::path path(file);
    const bool leads_out = path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end();
    if (file.empty() || leads_out || file.find('\0') != file.npos) {
      throw Error(ErrorCode::kCorrupt,
                  fmt::format("{}: tensor {}: file {}, expected one inside the folder", where(), tensor_, Json(file).dump()),
                  "do not use this model: its index was made to read other files");
    }
  }

  WeightIndex sorted() {
    std::vector<uint32_t> position(numbers_.size());
    for (const auto& [file, number] : numbers_) {
      position[number] = static_cast<uint32_t>(index_.files.size());
      index_.files.push_back(file);
    }
    for (WeightIndex::Entry& entry : index_.entries) entry.file = position[entry.file];
    std::sort(index_.entries.begin(), index_.entries.end(),
              [](const WeightIndex::Entry& a, const WeightIndex::Entry& b) { return a.tensor < b.tensor; });
    return std::move(index_);
  }

  [[noreturn]] void fail(const std::string& message) const { throw Error(ErrorCode::kCorrupt, where() + ": " + message, kHint); }
  [[noreturn]] void fail_value() const { fail(fmt::format("weight_map: tensor {}: found another value, expected a file name", tensor_)); }

  WeightIndex index_;
  std::map<std::string, uint32_t> numbers_;  // file → number in order of appearance
  std::string tensor_;                       // the key read last, of the map or of the index itself
  int depth_ = 0;
  bool in_map_ = false;
  bool has_map_ = false;
};

}  // namespace

WeightIndex parse_weight_index(std::string_view text, const std::string& where) {
  IndexEvents events(where);
  parse_json_events(text, events);
  return events.take();
}

WeightIndex read_weight_index(const std::filesystem::path& path) {
  return parse_weight_index(read_text_file(path, kMaxIndexBytes), path.string());
}

}  // namespace hf2mlx
