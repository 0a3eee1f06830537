// Numbers and words as people read and write them: sizes, durations, counts, shell words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hf2mlx {

std::string format_bytes(uint64_t bytes);  // "16.4 GB": powers of 1000, three digits, as file managers show it
std::string format_rate(double bytes_per_second);
std::string format_duration(double seconds);  // "0.75 s", "12 s", "3 min 20 s", "1 h 02 min"
std::string format_count(uint64_t count);     // "8.19B" parameters
std::string format_shape(const std::vector<uint64_t>& shape);

// "5GB", "512 MiB", "64k": powers of 1024, as mlx_lm counts shards. Throws Error{kUsage}; `option` begins its message.
uint64_t parse_size(std::string_view text, std::string_view option);

// One word that a POSIX shell reads back as `word`, quoted only where needed.
std::string shell_quote(std::string_view word);
// A command line of quoted words with "~/" for paths below `home`: a shell reads the same, and a file that goes to others names no user.
std::string with_tilde(std::string line, const std::string& home);
std::string join(const std::vector<std::string>& words, std::string_view separator);

}  // namespace hf2mlx
