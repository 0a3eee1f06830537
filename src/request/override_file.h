// Overrides in a file: --q-override @FILE.
#pragma once

#include <string>
#include <vector>

namespace hf2mlx {

// The overrides as PATTERN=SPEC, with what stands in FILE, in its order, in place of each "@FILE". FILE holds a JSON object
// {"PATTERN": SPEC, ...}, where SPEC is text as on the command line, a number of bits, or {"bits", "group_size", "mode"}, of which what is
// missing is the default of the mode. Throws Error: those of read_json_file, and kUsage for an object of another form.
std::vector<std::string> expand_overrides(const std::vector<std::string>& overrides);

}  // namespace hf2mlx
