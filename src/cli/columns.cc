// See columns.h.
#include "cli/columns.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace hf2mlx::cli {
namespace {

constexpr char32_t kInvalid = 0xFFFFFFFF;

struct CodePoint {
  char32_t value = kInvalid;
  size_t bytes = 1;
};

struct Range {
  char32_t first;
  char32_t last;
};

// Unicode's East_Asian_Width W and F, and the blocks of emoji, as ranges.
constexpr std::array kWide = {Range{0x1100, 0x115F},  Range{0x2E80, 0x303E},   Range{0x3041, 0xA4CF},   Range{0xA960, 0xA97C},
                              Range{0xAC00, 0xD7A3},  Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},   Range{0xFF01, 0xFF60},
                              Range{0xFFE0, 0xFFE6},  Range{0x1F300, 0x1F64F}, Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1F9FF},
                              Range{0x20000, 0x3FFFD}};
constexpr std::array kJoining = {Range{0x0300, 0x036F}, Range{0x0483, 0x0489}, Range{0x1AB0, 0x1AFF}, Range{0x1DC0, 0x1DFF},
                                 Range{0x20D0, 0x20F0}, Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}};
constexpr std::array kUnprintable = {Range{0x00, 0x1F},     Range{0x7F, 0x9F},     Range{0xAD, 0xAD},     Range{0x200B, 0x200F},
                                     Range{0x2028, 0x202E}, Range{0x2060, 0x206F}, Range{0xFEFF, 0xFEFF}, Range{0xE0000, 0xE0FFF}};

template <size_t N>
bool is_in(const std::array<Range, N>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(), [c](const Range& range) { return range.first <= c && c <= range.last; });
}

size_t bytes_by_first(unsigned char first) {
  if (first < 0x80) return 1;
  return first >= 0xC2 && first <= 0xDF ? 2 : first >= 0xE0 && first <= 0xEF ? 3 : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

// At the beginning of a text that is not empty. A byte that does not belong there is an invalid code point of its own.
CodePoint next(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t count = bytes_by_first(byte(0));
  if (count == 0 || count > text.size()) return {};
  char32_t value = count == 1 ? byte(0) : byte(0) & (0x7F >> count);
  for (size_t i = 1; i < count; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3F);
  }
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kLeast[count] || value > 0x10FFFF || is_surrogate) return {};
  return {value, count};
}

size_t width_of(char32_t c) { return is_in(kJoining, c) ? 0 : is_in(kWide, c) ? 2 : 1; }

template <class Visit>
void for_each(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const CodePoint c = next(text);
    if (!visit(c.value, text.substr(0, c.bytes))) return;
    text.remove_prefix(c.bytes);
  }
}

// The beginning that takes no more columns.
std::string_view beginning(std::string_view text, size_t columns) {
  size_t bytes = 0;
  for_each(text, [&](char32_t c, std::string_view written) {
    if (width_of(c) > columns) return false;
    columns -= width_of(c);
    bytes += written.size();
    return true;
  });
  return text.substr(0, bytes);
}

}  // namespace

size_t display_width(std::string_view text) {
  size_t columns = 0;
  for_each(text, [&](char32_t c, std::string_view) {
    columns += width_of(c);
    return true;
  });
  return columns;
}

std::string printable(std::string_view text) {
  std::string out;
  for_each(text, [&](char32_t c, std::string_view written) {
    out += c == kInvalid || is_in(kUnprintable, c) ? "?" : written;
    return true;
  });
  return out;
}

std::string printable_lines(std::string_view text) {
  std::string out = printable(first_line(text));
  for (size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    text.remove_prefix(end + 1);
    out += text.starts_with("  ") ? "\n" : "\n  ";
    out += printable(first_line(text));
  }
  return out;
}

std::string cut(std::string_view text, size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  return columns == 0 ? "" : std::string(beginning(text, columns - 1)) + "…";
}

std::string fitted_left(std::string_view text, size_t columns) {
  std::string out = cut(text, columns);
  return out.append(columns - display_width(out), ' ');
}

std::string fitted_right(std::string_view text, size_t columns) {
  const std::string out = cut(text, columns);
  return std::string(columns - display_width(out), ' ') + out;
}

std::vector<std::string> wrap(std::string_view text, size_t width) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (!lines.back().empty() && display_width(lines.back()) + 1 + display_width(word) > width) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
  }
  return lines;
}

}  // namespace hf2mlx::cli
