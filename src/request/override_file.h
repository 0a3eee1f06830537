// Overrides in a file: --q-override @FILE.
#pragma once

#include <string>
#include <vector>

namespace hf2mlx {

// The overrides as PATTERN=SPEC that a JSON object {"PATTERN": SPEC, ...} names, in its order. SPEC is text as on the command line, a
// number of bits, or {"bits", "group_size", "mode"}, of which what is missing is the default of the mode. `where` begins the message of
// errors: those of parse_json, and kUsage for an object of another form.
std::vector<std::string> overrides_of(const std::string& text, const std::string& where);

// With what stands in FILE, in its order, in place of each "@FILE". Throws Error: those of overrides_of and read_text_file.
std::vector<std::string> expand_overrides(const std::vector<std::string>& overrides);

}  // namespace hf2mlx
