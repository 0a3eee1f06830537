// See override_file.h.
#include "request/override_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text_file.h"
#include "hf2mlx/error.h"
#include "quant/codec.h"

namespace hf2mlx {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr const char* kForm = R"(expected: {"lm_head": 8, "*.mlp.*": "6:32", "*.o_proj": {"bits": 4, "group_size": 32, "mode": "affine"}})";

[[noreturn]] void refuse(const std::string& where, const std::string& what) { throw Error(ErrorCode::kUsage, where + ": " + what, kForm); }

uint32_t number_in(const OrderedJson& spec, const char* key, uint32_t otherwise, const std::string& where) {
  const auto at = spec.find(key);
  if (at == spec.end()) return otherwise;
  if (!at->is_number_unsigned() || at->get<uint64_t>() > 1024)
    refuse(where, fmt::format("\"{}\" is {}, a small number expected", key, at->dump()));
  return at->get<uint32_t>();
}

Encoding encoding_of(const OrderedJson& spec, const std::string& where) {
  for (const auto& [key, value] : spec.items()) {
    if (key != "bits" && key != "group_size" && key != "mode") refuse(where, fmt::format("unknown key \"{}\"", key));
  }
  const OrderedJson stated = spec.value("mode", OrderedJson("affine"));
  const auto mode = stated.is_string() ? quant_mode_from_name(stated.get_ref<const std::string&>()) : std::nullopt;
  if (!mode) refuse(where, fmt::format("\"mode\" is {}, affine, mxfp4, nvfp4 or mxfp8 expected", stated.dump()));
  const Encoding standard = default_encoding(*mode);
  return {*mode, number_in(spec, "bits", standard.bits, where), number_in(spec, "group_size", standard.group_size, where)};
}

std::string spec_of(const OrderedJson& spec, const std::string& where) {
  if (spec.is_string()) return spec.get<std::string>();
  if (spec.is_number_unsigned()) return spec.dump();
  if (!spec.is_object()) refuse(where, fmt::format("{} found, which is no SPEC", spec.dump()));
  const Encoding e = encoding_of(spec, where);
  return fmt::format("{}:{}:{}", e.bits, e.group_size, name_of(e.mode));
}

}  // namespace

std::vector<std::string> overrides_of(const std::string& text, const std::string& where) {
  if (!parse_json(text, where).is_object()) refuse(where, "an object of patterns expected");
  // Once more, as the order counts.
  const OrderedJson object = OrderedJson::parse(text, nullptr, false);
  if (!object.is_object()) refuse(where, "an object of patterns expected");
  std::vector<std::string> overrides;
  for (const auto& [pattern, spec] : object.items()) {
    overrides.push_back(fmt::format("{}={}", pattern, spec_of(spec, fmt::format("{}: \"{}\"", where, pattern))));
  }
  return overrides;
}

std::vector<std::string> expand_overrides(const std::vector<std::string>& overrides) {
  std::vector<std::string> out;
  for (const std::string& text : overrides) {
    if (!text.starts_with('@')) {
      out.push_back(text);
      continue;
    }
    const std::string path = text.substr(1);
    std::vector<std::string> read = overrides_of(read_text_file(path, kMaxJsonFileBytes), path);
    std::move(read.begin(), read.end(), std::back_inserter(out));
  }
  return out;
}

}  // namespace hf2mlx
