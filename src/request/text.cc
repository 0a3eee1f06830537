// See text.h.
#include "request/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

// Three significant digits and the largest unit that keeps the number at one or more.
template <size_t N>
std::string scaled(double value, const std::array<const char*, N>& units) {
  size_t unit = 0;
  // 999.5 would be printed as 1000 of the smaller unit.
  while (value >= 999.5 && unit + 1 < N) {
    value /= 1000;
    ++unit;
  }
  if (unit == 0) return fmt::format("{:.0f}{}", value, units[0]);
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}{}", value, decimals, units[unit]);
}

constexpr std::array kByteUnits = {" B", " kB", " MB", " GB", " TB", " PB"};
constexpr std::array kCountUnits = {"", "K", "M", "B", "T"};

// The power of 1024 that a unit stands for, or -1.
int power_of_unit(std::string_view unit) {
  std::string lower;
  for (const char c : unit) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower == "b") return 0;
  if (lower.ends_with("ib")) {
    lower.resize(lower.size() - 2);
  } else if (lower.ends_with("b")) {
    lower.resize(lower.size() - 1);
  }
  constexpr std::string_view kPrefixes = "kmgt";
  const size_t at = lower.size() == 1 ? kPrefixes.find(lower[0]) : std::string_view::npos;
  return at == std::string_view::npos ? -1 : static_cast<int>(at) + 1;
}

bool is_plain_in_a_shell(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("@%+=:,./_-").find(c) != std::string_view::npos;
}

}  // namespace

std::string format_bytes(uint64_t bytes) { return scaled(static_cast<double>(bytes), kByteUnits); }

std::string format_rate(double bytes_per_second) { return scaled(bytes_per_second, kByteUnits) + "/s"; }

std::string format_count(uint64_t count) { return scaled(static_cast<double>(count), kCountUnits); }

std::string format_duration(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.{}f} s", seconds, seconds < 0.995 ? 2 : 1);
  const auto whole = static_cast<uint64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string format_shape(const std::vector<uint64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

uint64_t parse_size(std::string_view text, std::string_view option) {
  const auto refuse = [&](std::string_view problem) {
    return Error(ErrorCode::kUsage, fmt::format("{}: '{}' {}", option, text, problem), "write a number and a unit, such as 512MB or 5GB");
  };
  const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  // std::from_chars for double is missing from older libc++.
  const std::string number_text(text.substr(0, digits));
  char* end = nullptr;
  const double number = std::strtod(number_text.c_str(), &end);
  if (digits == 0 || *end != '\0') throw refuse("is not a size");
  std::string_view unit = text.substr(digits);
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (unit.empty()) throw refuse("has no unit");
  const int power = power_of_unit(unit);
  if (power < 0) throw refuse("has an unknown unit");
  const double bytes = std::ldexp(number, 10 * power);
  if (bytes < 1) throw refuse("is nothing");
  if (bytes >= std::ldexp(1.0, 63)) throw refuse("is too large");
  return static_cast<uint64_t>(bytes);
}

std::string with_tilde(std::string line, const std::string& home) {
  if (home.size() < 2) return line;
  // In a quoted word the quote comes after the tilde, which it would make a plain character.
  for (const auto& [found, shown] : {std::pair{" " + home + "/", " ~/"}, {" '" + home + "/", " ~/'"}}) {
    for (size_t at = line.find(found); at != std::string::npos; at = line.find(found, at + 1)) line.replace(at, found.size(), shown);
  }
  return line;
}

std::string shell_quote(std::string_view word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain_in_a_shell)) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

}  // namespace hf2mlx
