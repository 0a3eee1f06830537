// See places.h. Follows the rules of Python's os.path, which huggingface_hub uses.
#include "hf2mlx/places.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/text_file.h"

namespace hf2mlx {
namespace {

bool is_word(char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)); }

class Expander {
 public:
  Expander(const Variables& variables, const HomeOf& home_of) : variables_(variables), home_of_(home_of) {}

  const std::string* find(const std::string& name) const {
    const auto at = variables_.find(name);
    return at == variables_.end() ? nullptr : &at->second;
  }

  std::string expand(const std::string& text) const { return expand_variables(expand_user(text)); }

  // "~" and "~user" at the beginning; an unknown user stays as it is.
  std::string expand_user(const std::string& text) const {
    if (!text.starts_with('~')) return text;
    const size_t end = std::min(text.find('/'), text.size());
    const std::string user = text.substr(1, end - 1);
    const std::string* own = user.empty() ? find("HOME") : nullptr;
    std::optional<std::string> home = own ? std::optional(*own) : home_of_ ? home_of_(user) : std::nullopt;
    if (!home) return text;
    home->erase(home->find_last_not_of('/') + 1);
    const std::string expanded = *home + text.substr(end);
    return expanded.empty() ? "/" : expanded;
  }

 private:
  // "$NAME" and "${NAME}"; unknown ones stay. What a value expands to is not expanded again.
  std::string expand_variables(const std::string& text) const {
    std::string expanded;
    for (size_t at = 0; at < text.size();) {
      const size_t end = end_of_reference(text, at);
      const bool braced = end > at + 1 && text[at + 1] == '{';
      const std::string name = end == at ? "" : braced ? text.substr(at + 2, end - at - 3) : text.substr(at + 1, end - at - 1);
      const std::string* value = find(name);
      const size_t next = std::max(end, at + 1);
      expanded += value ? *value : text.substr(at, next - at);
      at = next;
    }
    return expanded;
  }

  // Where a reference that begins at `at` ends, or `at` when there is none.
  static size_t end_of_reference(const std::string& text, size_t at) {
    if (text[at] != '$' || at + 1 == text.size()) return at;
    if (text[at + 1] == '{') {
      const size_t close = text.find('}', at + 2);
      return close == std::string::npos ? at : close + 1;
    }
    size_t end = at + 1;
    while (end < text.size() && is_word(text[end])) ++end;
    return end == at + 1 ? at : end;
  }

  const Variables& variables_;
  const HomeOf& home_of_;
};

std::string joined(const std::string& folder, const std::string& name) {
  if (folder.empty() || folder.ends_with('/')) return folder + name;
  return folder + '/' + name;
}

std::string value_or(const Expander& expander, const char* name, const std::string& otherwise) {
  const std::string* value = expander.find(name);
  return value ? *value : otherwise;
}

std::string hf_home(const Expander& expander) {
  const std::string caches = value_or(expander, "XDG_CACHE_HOME", joined(expander.expand_user("~"), ".cache"));
  return expander.expand(value_or(expander, "HF_HOME", joined(caches, "huggingface")));
}

std::string hub_cache(const Expander& expander) {
  const std::string older = value_or(expander, "HUGGINGFACE_HUB_CACHE", joined(hf_home(expander), "hub"));
  const std::string cache = expander.expand(value_or(expander, "HF_HUB_CACHE", older));
  return cache.empty() ? "." : cache;
}

// The first that is set and not empty, or empty.
std::string first_of(const Expander& expander, const char* name, const char* older_name) {
  const std::string value = value_or(expander, name, "");
  return value.empty() ? value_or(expander, older_name, "") : value;
}

bool is_true(std::string value) {
  std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

// A copied token easily has a line end or blanks around it.
std::string clean_token(std::string token) {
  std::erase_if(token, [](char c) { return c == '\r' || c == '\n'; });
  const size_t begin = token.find_first_not_of(" \t");
  return begin == std::string::npos ? "" : token.substr(begin, token.find_last_not_of(" \t") - begin + 1);
}

unsigned positive_number(const std::string& text, unsigned otherwise) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0 ? number : otherwise;
}

HubOptions hub_settings(const Expander& expander) {
  HubOptions hub;
  hub.endpoint = value_or(expander, "HF_ENDPOINT", "");
  if (hub.endpoint.empty()) hub.endpoint = "https://huggingface.co";
  hub.endpoint.erase(hub.endpoint.find_last_not_of('/') + 1);
  hub.offline = is_true(first_of(expander, "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"));
  hub.timeout_seconds = positive_number(value_or(expander, "HF_HUB_DOWNLOAD_TIMEOUT", ""), hub.timeout_seconds);
  hub.ca_file = value_or(expander, "SSL_CERT_FILE", "");
  return hub;
}

}  // namespace

Places places_of(const Variables& variables, const HomeOf& home_of) {
  const Expander expander(variables, home_of);
  Places places;
  places.home = expander.expand_user("~");
  places.hub_cache = hub_cache(expander);
  places.hub = hub_settings(expander);
  if (!is_true(value_or(expander, "HF_HUB_DISABLE_IMPLICIT_TOKEN", ""))) {
    places.hub.token = clean_token(first_of(expander, "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"));
    places.hub_token = expander.expand(value_or(expander, "HF_TOKEN_PATH", joined(hf_home(expander), "token")));
  }
  return places;
}

HubOptions hub_options(const Places& places) {
  constexpr uint64_t kMaxTokenBytes = 64 << 10;
  HubOptions hub = places.hub;
  std::error_code error;
  const bool has_file = !places.hub_token.empty() && std::filesystem::is_regular_file(places.hub_token, error);
  if (hub.token.empty() && has_file) hub.token = clean_token(read_text_file(places.hub_token, kMaxTokenBytes));
  return hub;
}

}  // namespace hf2mlx
