// The functions that every expression may call.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "arch/expr.h"
#include "hf2mlx/error.h"
#include "quant/convert.h"

namespace hf2mlx {
namespace {

Json extreme(const std::vector<Json>& args, bool largest) {
  const std::vector<Json> items = args.size() == 1 && args[0].is_array() ? args[0].get<std::vector<Json>>() : args;
  if (items.empty()) throw Error(ErrorCode::kCorrupt, "config.json: found an empty list where numbers are needed");
  Json best = items[0];
  for (const Json& x : items) {
    if (largest ? best < x : x < best) best = x;
  }
  return best;
}

// No model has so many layers or experts; a config that says so would take all memory before its tensors are found missing.
constexpr int64_t kMostRangeItems = 1 << 16;

Json range(const std::vector<Json>& args) {
  const int64_t begin = args.size() > 1 ? to_int(args[0]) : 0;
  const int64_t end = to_int(args.size() > 1 ? args[1] : args[0]);
  const int64_t step = args.size() > 2 ? to_int(args[2]) : 1;
  Json out = Json::array();
  for (int64_t i = begin; step > 0 ? i < end : i > end; i += step) {
    if (static_cast<int64_t>(out.size()) == kMostRangeItems) {
      throw Error(ErrorCode::kCorrupt,
                  fmt::format("config.json: a list from {} to {} is asked for, of more than {} items", begin, end, kMostRangeItems),
                  "no model has so many layers");
    }
    out.push_back(i);
  }
  return out;
}

Json split(const Json& from, const std::string& separator) {
  if (!from.is_string()) throw Error(ErrorCode::kCorrupt, "config.json: found " + from.dump() + " where a text is needed");
  const auto& text = from.get_ref<const std::string&>();
  Json out = Json::array();
  size_t at = 0;
  for (size_t next; (next = text.find(separator, at)) != std::string::npos; at = next + separator.size())
    out.push_back(text.substr(at, next - at));
  out.push_back(text.substr(at));
  return out;
}

// The characters of a text as a list; a list is as it is.
Json letters(const Json& text) {
  if (!text.is_string()) return text;
  Json out = Json::array();
  for (char c : text.get_ref<const std::string&>()) out.push_back(std::string(1, c));
  return out;
}

Json ints(const Json& list) {
  Json out = Json::array();
  for (const Json& x : list) out.push_back(x.is_string() ? Json(int64_t{std::stoll(x.get<std::string>())}) : Json(to_int(x)));
  return out;
}

Json sum(const Json& list) {
  double total = 0;
  bool whole = true;
  for (const Json& x : list) {
    total += to_real(x);
    whole = whole && x.is_number_integer();
  }
  return whole ? Json(static_cast<int64_t>(total)) : Json(total);
}

// Python's round(): half to even.
int64_t round_even(double x) { return static_cast<int64_t>(std::nearbyint(x)); }

Json slice(const std::vector<Json>& args) {
  const Json& list = args[0];
  const auto n = static_cast<int64_t>(list.size());
  auto bound = [n](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n); };
  Json out = Json::array();
  const int64_t end = args.size() > 2 ? bound(to_int(args[2])) : n;
  for (int64_t i = bound(to_int(args[1])); i < end; ++i) out.push_back(list[static_cast<size_t>(i)]);
  return out;
}

// rename_key(object, from, to): the object with one key under another name; as it is when it has the new name already or not the old one.
Json rename_key(const std::vector<Json>& args) {
  Json object = args.at(0);
  const std::string from = args.at(1).get<std::string>(), to = args.at(2).get<std::string>();
  if (!object.is_object() || object.contains(to) || !object.contains(from)) return object;
  object[to] = object[from];
  object.erase(from);
  return object;
}

// rounded(x, "BF16"): the nearest value of a float dtype.
Json rounded(const std::vector<Json>& args) {
  const auto dtype = dtype_from_name(args.at(1).get<std::string>());
  if (!dtype || !is_float(*dtype)) throw Error(ErrorCode::kInternal, "rounded() wants F16, BF16 or F32");
  const auto value = static_cast<float>(to_real(args[0]));
  std::byte stored[4];
  float back = 0;
  convert_elements(Dtype::kF32, reinterpret_cast<const std::byte*>(&value), *dtype, stored, 1);
  convert_elements(*dtype, stored, Dtype::kF32, reinterpret_cast<std::byte*>(&back), 1);
  return back;
}

std::string type_of(const Json& v) {
  if (v.is_number()) return v.is_number_float() ? "float" : "int";
  return v.type_name();  // "array", "object", "string", "boolean", "null"
}

struct Builtin {
  std::string_view name;
  Json (*call)(const std::vector<Json>&);
};

constexpr Builtin kBuiltins[] = {
    {"abs",
     [](const std::vector<Json>& a) { return a[0].is_number_integer() ? Json(std::abs(to_int(a[0]))) : Json(std::abs(to_real(a[0]))); }},
    {"ceil", [](const std::vector<Json>& a) { return Json(to_int(std::ceil(to_real(a[0])))); }},
    {"count", [](const std::vector<Json>& a) { return Json(static_cast<int64_t>(std::count(a[0].begin(), a[0].end(), a[1]))); }},
    {"float", [](const std::vector<Json>& a) { return Json(to_real(a[0])); }},
    {"floor", [](const std::vector<Json>& a) { return Json(to_int(std::floor(to_real(a[0])))); }},
    {"int", [](const std::vector<Json>& a) { return Json(to_int(a[0].is_number_float() ? Json(std::trunc(to_real(a[0]))) : a[0])); }},
    {"ints", [](const std::vector<Json>& a) { return ints(a[0]); }},
    {"letters", [](const std::vector<Json>& a) { return letters(a[0]); }},
    {"len",
     [](const std::vector<Json>& a) {
       return Json(static_cast<int64_t>(a[0].is_string() ? a[0].get_ref<const std::string&>().size() : a[0].size()));
     }},
    {"log2", [](const std::vector<Json>& a) { return Json(std::log2(to_real(a[0]))); }},
    {"max", [](const std::vector<Json>& a) { return extreme(a, true); }},
    {"min", [](const std::vector<Json>& a) { return extreme(a, false); }},
    {"range", [](const std::vector<Json>& a) { return range(a); }},
    {"rename_key", [](const std::vector<Json>& a) { return rename_key(a); }},
    {"round", [](const std::vector<Json>& a) { return Json(round_even(to_real(a[0]))); }},
    {"rounded", [](const std::vector<Json>& a) { return rounded(a); }},
    {"slice", [](const std::vector<Json>& a) { return slice(a); }},
    {"split", [](const std::vector<Json>& a) { return split(a[0], a[1].get<std::string>()); }},
    {"sqrt", [](const std::vector<Json>& a) { return Json(std::sqrt(to_real(a[0]))); }},
    {"sum", [](const std::vector<Json>& a) { return sum(a[0]); }},
    {"type", [](const std::vector<Json>& a) { return Json(type_of(a[0])); }},
};

}  // namespace

Json loop_items(const Json& value) { return value.is_number() ? range({value}) : value; }

bool call_builtin(std::string_view name, const std::vector<Json>& args, Json& result) {
  for (const Builtin& f : kBuiltins) {
    if (f.name != name) continue;
    if (args.empty()) throw Error(ErrorCode::kInternal, std::string(name) + "() needs an argument");
    result = f.call(args);
    return true;
  }
  return false;
}

}  // namespace hf2mlx
