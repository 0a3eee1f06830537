// JSON as a stream of events.
#include "base/json_events.h"

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

constexpr size_t kMaxMessage = 240;

// The library's message without its "[json.exception.parse_error.101] ", short, and valid UTF-8 whatever the file holds.
std::string readable(std::string_view message) {
  const size_t end = message.find("] ");
  if (message.starts_with("[json.") && end != message.npos) message.remove_prefix(end + 2);
  std::string out;
  for (const char c : message.substr(0, kMaxMessage)) out += c >= 0x20 && c < 0x7f ? c : '?';
  if (message.size() > kMaxMessage) out += "...";
  return out;
}

}  // namespace

bool JsonEvents::parse_error(std::size_t, const std::string&, const Json::exception& error) {
  throw Error(ErrorCode::kCorrupt, where_ + ": " + readable(error.what()), "the file may be incomplete or edited wrongly");
}

void parse_json_events(std::string_view text, JsonEvents& events) { Json::sax_parse(text.begin(), text.end(), &events); }

}  // namespace hf2mlx
