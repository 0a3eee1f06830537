#include "arch/lines.h"

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

// A comment begins with '#' at the beginning of a line or after a blank.
std::string_view strip(std::string_view line) {
  for (size_t i = line.find('#'); i != std::string_view::npos; i = line.find('#', i + 1)) {
    if (i > 0 && line[i - 1] != ' ') continue;
    line = line.substr(0, i);
    break;
  }
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

struct Flat {
  int number;
  size_t indent;
  std::string_view text;
};

std::vector<Line> nest(const std::string& name, const std::vector<Flat>& flat, size_t& at, size_t indent) {
  std::vector<Line> lines;
  while (at < flat.size() && flat[at].indent >= indent) {
    if (flat[at].indent > indent) {
      if (lines.empty() || !lines.back().children.empty()) {
        throw Error(ErrorCode::kInternal, name + ".arch:" + std::to_string(flat[at].number) + ": uneven indentation");
      }
      lines.back().children = nest(name, flat, at, flat[at].indent);
      continue;
    }
    lines.push_back({flat[at].number, std::string(flat[at].text), {}});
    ++at;
  }
  return lines;
}

}  // namespace

std::vector<Line> parse_lines(const std::string& name, std::string_view text) {
  std::vector<Flat> flat;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = strip(text.substr(0, end));
    const size_t indent = line.find_first_not_of(' ');
    if (indent != std::string_view::npos) flat.push_back({number, indent, line.substr(indent)});
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  size_t at = 0;
  std::vector<Line> lines = nest(name, flat, at, 0);
  return lines;
}

void Words::skip() {
  while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
}

std::string_view Words::peek() const {
  int depth = 0;
  for (size_t i = 0; i < rest_.size(); ++i) {
    if (rest_[i] == '{') ++depth;
    if (rest_[i] == '}') --depth;
    if (rest_[i] == ' ' && depth == 0) return rest_.substr(0, i);
  }
  return rest_;
}

std::string_view Words::next() {
  std::string_view word = peek();
  rest_.remove_prefix(word.size());
  skip();
  return word;
}

bool Words::take(std::string_view word) {
  if (peek() != word) return false;
  next();
  return true;
}

}  // namespace hf2mlx
