// See front_matter.h.
#include "writer/front_matter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

#include "base/json.h"
#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

size_t line_break_at(std::string_view text, size_t at) {
  if (text.substr(at, 2) == "\r\n") return 2;
  return at < text.size() && (text[at] == '\n' || text[at] == '\r') ? 1 : 0;
}

bool closes_front_matter(std::string_view text, size_t at) {
  if (text.substr(at, 3) != "---") return false;
  const size_t end = std::min(text.find_first_not_of(" \t", at + 3), text.size());
  return end == text.size() || text[end] == '\n' || text.substr(end, 2) == "\r\n";
}

// Each with its line break, which becomes "\n".
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t length = line_break_at(text, at);
    if (length != 0) {
      lines.push_back(std::string(text.substr(begin, at - begin)) + '\n');
      begin = at + length;
    }
    at += std::max<size_t>(length, 1);
  }
  if (begin < text.size()) lines.push_back(std::string(text.substr(begin)) + '\n');
  return lines;
}

std::string joined(const std::vector<std::string>& lines, size_t begin, size_t end) {
  std::string out;
  for (size_t i = begin; i < end; ++i) out += lines[i];
  return out;
}

YAML::Node load_mapping(const std::string& text) {
  try {
    YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return YAML::Node(YAML::NodeType::Map);
    if (root.IsMap() && root.Style() != YAML::EmitterStyle::Flow) return root;
  } catch (const YAML::Exception& error) {
    throw Error(ErrorCode::kCorrupt, fmt::format("front matter: line {}: {}, expected YAML", error.mark.line + 1, error.msg));
  }
  throw Error(ErrorCode::kCorrupt, "front matter: expected a mapping with each key on a line of its own");
}

std::string key_text(const YAML::Node& key) { return key.IsScalar() ? key.Scalar() : std::string(); }

// Whether every YAML version reads `text`, unquoted, as a string. Numbers and dates never start with a letter.
bool plain_is_string(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
  constexpr std::string_view kSafeMarks = "-_./+";
  const auto letter = [](unsigned char c) { return std::isalpha(c) != 0; };
  const auto safe = [&](unsigned char c) {
    return std::isalnum(c) != 0 || kSafeMarks.find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (text.empty() || !letter(text.front()) || !std::all_of(text.begin(), text.end(), safe)) return false;
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(kWords.begin(), kWords.end(), lower) == kWords.end();
}

// A JSON string is a double-quoted YAML scalar.
std::string quoted(const std::string& text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string yaml_string(std::string_view text) { return plain_is_string(text) ? std::string(text) : quoted(std::string(text)); }

// What was quoted stays quoted, what was plain stays plain.
std::string yaml_scalar(const YAML::Node& node) { return node.Tag() == "?" ? node.Scalar() : quoted(node.Scalar()); }

}  // namespace

std::optional<std::string_view> find_front_matter(std::string_view card) {
  if (card.starts_with("\xEF\xBB\xBF")) card.remove_prefix(3);
  const size_t open = card.find_first_not_of(" \t\r\n\f\v");
  if (open == std::string_view::npos || card.substr(open, 3) != "---") return std::nullopt;
  const size_t first_break = line_break_at(card, open + 3);
  if (first_break == 0) return std::nullopt;
  const size_t begin = open + 3 + first_break;
  for (size_t at = begin; at < card.size(); ++at) {
    const size_t length = line_break_at(card, at);
    if (length != 0 && closes_front_matter(card, at + length)) return card.substr(begin, at - begin);
  }
  return std::nullopt;
}

FrontMatter::FrontMatter(std::string_view yaml) {
  const std::vector<std::string> lines = lines_of(yaml);
  const YAML::Node root = load_mapping(joined(lines, 0, lines.size()));
  size_t end = lines.size();
  std::vector<std::pair<size_t, std::pair<YAML::Node, YAML::Node>>> keys;
  for (const auto& item : root) keys.push_back({static_cast<size_t>(item.first.Mark().line), {item.first, item.second}});
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    const auto& [line, item] = *key;
    if (line >= end) throw Error(ErrorCode::kCorrupt, "front matter: two keys on one line, expected a line for each");
    entries_.push_front({key_text(item.first), joined(lines, line, end), item.second});
    end = line;
  }
  before_ = joined(lines, 0, end);
  if (!entries_.empty()) indent_ = entries_.front().text.substr(0, entries_.front().text.find_first_not_of(' '));
}

const FrontMatter::Entry* FrontMatter::find(std::string_view key) const {
  // Of two, the later one counts for Python.
  const auto at = std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& entry) { return entry.key == key; });
  return at == entries_.rend() ? nullptr : &*at;
}

void FrontMatter::put(std::string_view key, std::string_view yaml_value, const YAML::Node& value) {
  Entry entry{std::string(key), fmt::format("{}{}:{}\n", indent_, key, yaml_value), value};
  const auto old = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& other) { return other.key == key; });
  const auto added = entries_.insert(old, std::move(entry));
  for (auto at = std::next(added); at != entries_.end();) at = at->key == key ? entries_.erase(at) : std::next(at);
}

bool FrontMatter::has(std::string_view key) const {
  const Entry* found = find(key);
  return found != nullptr && !found->value.IsNull();
}

void FrontMatter::set(std::string_view key, std::string_view value) {
  put(key, fmt::format(" {}", yaml_string(value)), YAML::Node(std::string(value)));
}

void FrontMatter::remove(std::string_view key) {
  entries_.remove_if([&](const Entry& entry) { return entry.key == key; });
}

void FrontMatter::add_to_list(std::string_view key, std::string_view item) {
  YAML::Node list(YAML::NodeType::Sequence);
  if (const Entry* found = find(key)) {
    if (found->value.IsSequence()) list.reset(found->value);
    if (found->value.IsScalar()) list.push_back(found->value);
  }
  std::string text;
  bool present = false;
  for (const auto& old : list) {
    if (!old.IsScalar()) continue;
    text += fmt::format("\n{}- {}", indent_, yaml_scalar(old));
    present = present || old.Scalar() == item;
  }
  if (!present) text += fmt::format("\n{}- {}", indent_, yaml_string(item));
  put(key, text, list);
}

std::string FrontMatter::dump() const {
  std::string out = before_;
  for (const Entry& entry : entries_) out += entry.text;
  std::vector<std::string> expected;
  for (const Entry& entry : entries_) expected.push_back(entry.key);
  std::vector<std::string> found;
  for (const auto& item : load_mapping(out)) found.push_back(key_text(item.first));
  if (found != expected) throw Error(ErrorCode::kCorrupt, "front matter: keys do not stand apart, expected a plain mapping");
  return out;
}

}  // namespace hf2mlx
