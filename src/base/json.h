// JSON as config files use it: keys sorted, non-finite floats kept apart.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace hf2mlx {

using Json = nlohmann::json;

// An integer that neither 64 bits nor a double hold exactly is kept as its digits: a binary value of this subtype. dump_json writes it
// back.
inline constexpr uint64_t kBigIntegerSubtype = 1;

inline constexpr uint64_t kMaxJsonFileBytes = 64ull << 20;
inline constexpr int kMaxJsonDepth = 500;

// Parses text; `where` begins the message of the Error{kCorrupt}, which names line and column. Bare Infinity, -Infinity and NaN, which
// Python's json module writes and reads, become the numbers; so does the tagged form {"__float__": "Infinity"} of transformers. Of a key
// that is there twice the last value counts, as in Python. Invalid UTF-8 is an error, depth is bounded.
Json parse_json(std::string_view text, const std::string& where);
// Of a file of at most kMaxJsonFileBytes.
Json read_json_file(const std::filesystem::path& path);

// Text with keys sorted and `indent` spaces, as Python's json.dumps(sort_keys=True, ensure_ascii=True) lays it out, with a final newline.
// Non-finite floats are written in the tagged form.
std::string dump_json(const Json& value, int indent = 4);

}  // namespace hf2mlx
