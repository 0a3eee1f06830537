// See hub_error.h. Codes and their meaning are those that huggingface_hub knows.
#include "hub/hub_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>

namespace hf2mlx {
namespace {

constexpr int kTooManyRequests = 429;

std::string name_of(const Wanted& wanted) { return wanted.path.empty() ? wanted.repo_id : wanted.repo_id + ": " + wanted.path; }

std::string token_hint(const HubOptions& options, const Wanted& wanted) {
  if (options.token.empty()) return "set HF_TOKEN, or log in with hf auth login";
  return fmt::format("use a token that may {} it (HF_TOKEN, or hf auth login)", wanted.access == Access::kRead ? "read" : "write to");
}

// What another attempt need not do again.
const char* kept(const Wanted& wanted) {
  return wanted.access == Access::kRead ? "what has arrived is kept" : "the hub keeps the files it has";
}

Error no_repository(const HubOptions& options, const Wanted& wanted) {
  return Error(ErrorCode::kNotFound, fmt::format("{}: no such repository at {}, or a private one", wanted.repo_id, options.endpoint),
               fmt::format("check the name; for a private model, {}", token_hint(options, wanted)));
}

Error no_revision(const HubOptions& options, const Wanted& wanted) {
  return Error(ErrorCode::kNotFound, fmt::format("{}: no revision {}", wanted.repo_id, wanted.revision),
               fmt::format("{}/{}/tree/main lists its branches and tags", options.endpoint, wanted.repo_id));
}

Error gated(const HubOptions& options, const Wanted& wanted) {
  return Error(ErrorCode::kAuth, fmt::format("{}: its owner grants access one by one", name_of(wanted)),
               fmt::format("ask for access at {}/{}{}", options.endpoint, wanted.repo_id,
                           options.token.empty() ? ", then set HF_TOKEN, or log in with hf auth login"
                                                 : "; if you have it, use a token of that account that may read gated repositories"));
}

Error refused_token(const HubOptions& options, const Wanted& wanted) {
  return Error(ErrorCode::kAuth, fmt::format("{}: the token is refused", wanted.repo_id),
               fmt::format("make a new one at {}/settings/tokens and set HF_TOKEN, or log in with hf auth login", options.endpoint));
}

Error forbidden(const HubOptions& options, const Wanted& wanted, const HttpResponse& response) {
  const std::string reason = response.header("x-error-message");
  return Error(ErrorCode::kAuth, fmt::format("{}: {}", name_of(wanted), reason.empty() ? "access is refused" : reason),
               token_hint(options, wanted));
}

Error too_many(const HubOptions& options, const Wanted& wanted, const HttpResponse& response) {
  const unsigned seconds = asked_wait_seconds(response);
  std::string hint = seconds > 0 ? fmt::format("try again in {} seconds", seconds) : "try again later";
  if (options.token.empty()) hint += "; with a token (HF_TOKEN) more is allowed";
  return Error(ErrorCode::kNetwork, fmt::format("{}: the hub refuses more requests for now (429)", name_of(wanted)), hint);
}

Error no_connection(const HubOptions& options, const Wanted& wanted, const HubAnswer& answer) {
  const std::string host = answer.from_hub ? options.endpoint : "the storage of the hub";
  const bool certificates = answer.last.failure == Failure::kLasting;
  return Error(ErrorCode::kNetwork, fmt::format("{}: {} cannot be reached: {}", name_of(wanted), host, answer.last.why),
               certificates ? std::string("check HF_ENDPOINT, the proxy and the certificates of this machine")
                            : fmt::format("check the connection and the proxy (https_proxy), and try again: {}", kept(wanted)));
}

Error unexpected(const Wanted& wanted, const HubAnswer& answer) {
  const std::string reason = answer.last.header("x-error-message");
  return Error(ErrorCode::kNetwork,
               fmt::format("{}: {} answers {}{}", name_of(wanted), answer.from_hub ? "the hub" : "the storage of the hub",
                           answer.last.status, reason.empty() ? "" : ": " + reason),
               fmt::format("try again later: {}", kept(wanted)));
}

Error not_found(const HubOptions& options, const Wanted& wanted, const HttpResponse& response) {
  const std::string code = response.header("x-error-code");
  if (code == "RevisionNotFound") return no_revision(options, wanted);
  if (code == "EntryNotFound") return Error(ErrorCode::kNotFound, fmt::format("{}: not in revision {}", name_of(wanted), wanted.revision));
  return no_repository(options, wanted);
}

// "RateLimit: "api";r=0;t=55": no request is left, and 55 seconds until there are more; draft-ietf-httpapi-ratelimit-headers. 0 without.
unsigned seconds_of_window(const HttpResponse& response) {
  const std::string text = response.header("ratelimit");
  unsigned left = 0;
  unsigned seconds = 0;
  const size_t begin = std::min(text.find(';'), text.size());
  const int found = std::sscanf(text.c_str() + begin, " ; r = %u ; t = %u", &left, &seconds);
  return found == 2 && left == 0 ? seconds : 0;
}

// "Wed, 21 Oct 2015 07:28:00 GMT", as seconds since any fixed moment.
std::optional<int64_t> seconds_of_date(const std::string& text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::array<char, 4> month{};
  int year = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (std::sscanf(text.c_str(), "%*3s, %2u %3s %4d %2d:%2d:%2d", &day, month.data(), &year, &hour, &minute, &second) != 6)
    return std::nullopt;
  const size_t at = kMonths.find(month.data());
  if (at == kMonths.npos || at % 3 != 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(at / 3 + 1)),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::sys_days(date)).time_since_epoch().count() + hour * 3600 + minute * 60 + second;
}

// Where Retry-After is a moment, by the clock of the server that says so. 0 for one that has passed.
unsigned seconds_until(const std::string& moment, const HttpResponse& response) {
  const std::optional<int64_t> then = seconds_of_date(moment);
  const std::optional<int64_t> now = seconds_of_date(response.header("date"));
  return then && now && *then > *now ? static_cast<unsigned>(std::min<int64_t>(*then - *now, UINT32_MAX)) : 0;
}

}  // namespace

Error hub_error(const HubOptions& options, const Wanted& wanted, const HubAnswer& answer) {
  const HttpResponse& response = answer.last;
  if (response.failure != Failure::kNone) return no_connection(options, wanted, answer);
  const std::string code = response.header("x-error-code");
  if (code == "GatedRepo") return gated(options, wanted);
  if (code == "RepoNotFound") return no_repository(options, wanted);
  if (!answer.from_hub) return unexpected(wanted, answer);
  switch (response.status) {
    case 401:
      if (options.token.empty() || response.header("x-error-message") != "Invalid credentials in Authorization header")
        return no_repository(options, wanted);
      return refused_token(options, wanted);
    case 403:
      return forbidden(options, wanted, response);
    case 404:
      return not_found(options, wanted, response);
    case kTooManyRequests:
      return too_many(options, wanted, response);
    default:
      return unexpected(wanted, answer);
  }
}

unsigned asked_wait_seconds(const HttpResponse& response) {
  const unsigned left = seconds_of_window(response);
  if (response.status == kTooManyRequests && left > 0) return left + 1;  // it counts down whole seconds
  const std::string text = response.header("retry-after");
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return error == std::errc() && end == text.data() + text.size() ? seconds : seconds_until(text, response);
}

bool is_transient(const HubAnswer& answer) {
  constexpr std::array<int, 6> kStatuses = {408, kTooManyRequests, 500, 502, 503, 504};
  const HttpResponse& response = answer.last;
  if (response.failure != Failure::kNone) return response.failure == Failure::kTransient;
  // Addresses of the storage are signed for a time; the hub makes a new one.
  if (!answer.from_hub && response.status == 403) return true;
  return std::find(kStatuses.begin(), kStatuses.end(), response.status) != kStatuses.end();
}

}  // namespace hf2mlx
