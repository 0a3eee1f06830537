// See url.h.
#include "hub/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace hf2mlx {
namespace {

constexpr std::string_view kSchemeEnd = "://";

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_absolute(std::string_view url) { return lower(url).starts_with("http://") || lower(url).starts_with("https://"); }

// Where the path of an absolute address begins.
size_t path_begin(std::string_view url) {
  const size_t host = url.find(kSchemeEnd) + kSchemeEnd.size();
  return std::min(url.find_first_of("/?#", host), url.size());
}

bool has_port(std::string_view host) {
  const size_t colon = host.rfind(':');
  return colon != host.npos && host.find(']', colon) == host.npos;  // the colons in [::1] are no port
}

}  // namespace

std::string origin_of(std::string_view url) {
  if (!is_absolute(url)) return {};
  const std::string scheme = lower(url.substr(0, url.find(kSchemeEnd)));
  std::string host = lower(url.substr(scheme.size() + kSchemeEnd.size(), path_begin(url) - scheme.size() - kSchemeEnd.size()));
  if (const size_t at = host.rfind('@'); at != host.npos) host.erase(0, at + 1);
  if (!has_port(host)) host += scheme == "https" ? ":443" : ":80";
  return scheme + std::string(kSchemeEnd) + host;
}

std::string resolve_url(std::string_view base, std::string_view location) {
  if (is_absolute(location)) return std::string(location);
  const size_t path = path_begin(base);
  if (location.starts_with("//")) return fmt::format("{}:{}", base.substr(0, base.find(kSchemeEnd)), location);
  if (location.starts_with('/')) return fmt::format("{}{}", base.substr(0, path), location);
  const std::string_view without_query = base.substr(0, std::min(base.find_first_of("?#", path), base.size()));
  if (location.starts_with('?')) return fmt::format("{}{}", without_query, location);
  const size_t slash = without_query.rfind('/');
  if (slash == without_query.npos || slash < path) return fmt::format("{}/{}", without_query, location);
  return fmt::format("{}{}", without_query.substr(0, slash + 1), location);
}

std::string percent_encode(std::string_view text, std::string_view also) {
  std::string out;
  for (const char c : text) {
    const bool stays = std::isalnum(static_cast<unsigned char>(c)) || std::string_view("-_.~").find(c) != std::string_view::npos ||
                       also.find(c) != also.npos;
    out += stays ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string next_page(std::string_view link_header) {
  // <address>; rel="next", <another>; rel="last"
  for (size_t at = link_header.find('<'); at != link_header.npos; at = link_header.find('<', at + 1)) {
    const size_t end = link_header.find('>', at);
    if (end == link_header.npos) return {};
    const std::string_view parameters = link_header.substr(end, link_header.find('<', end) - end);
    if (parameters.find("rel=\"next\"") != parameters.npos || parameters.find("rel=next") != parameters.npos) {
      return std::string(link_header.substr(at + 1, end - at - 1));
    }
  }
  return {};
}

}  // namespace hf2mlx
