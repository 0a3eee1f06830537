// Parsing into trees: what Python's json module and transformers write beyond standard JSON is understood.
#include "base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "base/json_events.h"
#include "base/text_file.h"
#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

constexpr const char* kFloatTag = "__float__";
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::optional<double> non_finite(std::string_view name) {
  if (name == "Infinity") return kInfinity;
  if (name == "-Infinity") return -kInfinity;
  if (name == "NaN") return std::numeric_limits<double>::quiet_NaN();
  return std::nullopt;
}

std::optional<double> tagged_float(const Json& value) {
  if (!value.is_object() || value.size() != 1) return std::nullopt;
  const auto tag = value.find(kFloatTag);
  if (tag == value.end() || !tag->is_string()) return std::nullopt;
  return non_finite(tag->get_ref<const std::string&>());
}

std::string_view bare_float_at(std::string_view text) {
  for (const std::string_view name : {"Infinity", "-Infinity", "NaN"}) {
    if (text.starts_with(name)) return name;
  }
  return {};
}

size_t end_of_string(std::string_view text, size_t quote) {
  size_t i = quote + 1;
  while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
  return std::min(i + 1, text.size());
}

// The text with bare Infinity, -Infinity and NaN in the tagged form, or nothing when there is none. Within a line without them the columns
// of later errors stay right; the lines always do.
std::optional<std::string> tag_bare_floats(std::string_view text) {
  std::string out;
  size_t copied = 0;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      i = end_of_string(text, i);
      continue;
    }
    const std::string_view name = bare_float_at(text.substr(i));
    if (name.empty()) {
      ++i;
      continue;
    }
    out += text.substr(copied, i - copied);
    out += fmt::format(R"({{"{}":"{}"}})", kFloatTag, name);
    copied = i += name.size();
  }
  if (copied == 0) return std::nullopt;
  return out += text.substr(copied);
}

class TreeBuilder final : public JsonEvents {
 public:
  using JsonEvents::JsonEvents;

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool number_float(number_float_t value, const string_t& digits) override {
    const bool is_integer = digits.find_first_of(".eE") == digits.npos;
    if (!is_integer || fmt::format("{:.0f}", value) == digits) return add(value);
    return add(Json::binary({digits.begin(), digits.end()}, kBigIntegerSubtype));
  }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }
  bool end_object() override {
    if (const auto value = tagged_float(*open_.back())) *open_.back() = *value;
    return end_array();
  }
  bool end_array() override {
    open_.pop_back();
    return true;
  }

  Json take() { return std::move(root_); }

 private:
  bool other_value() override { return add(nullptr); }

  bool add(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json container) {
    if (open_.size() >= static_cast<size_t>(kMaxJsonDepth)) {
      throw Error(ErrorCode::kCorrupt, fmt::format("{}: nested deeper than {} levels", where(), kMaxJsonDepth));
    }
    open_.push_back(place(std::move(container)));
    return true;
  }

  // Pointers in open_ stay valid: a container gets no further element before its last one is closed.
  Json* place(Json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }

  Json root_;
  std::vector<Json*> open_;
  std::string key_;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& where) {
  const std::optional<std::string> tagged = tag_bare_floats(text);
  TreeBuilder builder(where);
  parse_json_events(tagged ? *tagged : text, builder);
  return builder.take();
}

Json read_json_file(const std::filesystem::path& path) { return parse_json(read_text_file(path, kMaxJsonFileBytes), path.string()); }

}  // namespace hf2mlx
