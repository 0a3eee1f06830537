// See session.h.
#include "hub/session.h"

#include <fmt/format.h>

#include "hf2mlx/error.h"
#include "hub/url.h"

namespace hf2mlx {
namespace {

constexpr int kMostRedirects = 10;
constexpr int kTemporaryRedirect = 307;
constexpr int kPermanentRedirect = 308;

// Empty for everything.
std::string range_of(const HubRequest& request) {
  if (request.end_bytes > 0) return fmt::format("Range: bytes={}-{}", request.begin_bytes, request.end_bytes - 1);
  return request.begin_bytes > 0 ? fmt::format("Range: bytes={}-", request.begin_bytes) : "";
}

// Lets through what is a success.
class Filter final : public HttpBody {
 public:
  Filter(HubAnswer& answer, HubBody& body) : answer_(answer), body_(body) {}

  void begin(const HttpResponse& response) override {
    answer_.last = response;
    if (answer_.from_hub) answer_.hub = response;
    passes_ = response.is_success();
    if (passes_) body_.begin(answer_);
  }
  void append(std::span<const std::byte> data) override {
    if (passes_) body_.append(data);
  }

 private:
  HubAnswer& answer_;
  HubBody& body_;
  bool passes_ = false;
};

}  // namespace

// Mirrors send those who ask for what they lack to the hub itself.
bool Session::is_hub(const std::string& url) const {
  const std::string origin = origin_of(url);
  return origin == origin_of(options_.endpoint) || origin == "https://huggingface.co:443" || origin == "https://hf.co:443";
}

std::string Session::authorization() const { return "Authorization: Bearer " + options_.token; }

HttpRequest Session::request_to(const std::string& url, const HubRequest& request) const {
  HttpRequest out{url};
  const std::string range = range_of(request);
  if (!range.empty()) out.headers.push_back(range);
  if (!is_hub(url)) return out;
  if (!range.empty() && !request.etag.empty()) out.headers.push_back(fmt::format("If-Range: \"{}\"", request.etag));
  if (!options_.token.empty()) out.headers.push_back(authorization());
  return out;
}

HubAnswer Session::follow(const std::string& url, const RequestTo& request_to, HubBody& body) {
  HubAnswer answer;
  answer.url = url;
  for (int i = 0; i <= kMostRedirects; ++i) {
    const HttpRequest request = request_to(answer.url);
    answer.from_hub = is_hub(answer.url);
    Filter filter(answer, body);
    answer.last = http_->send(request, filter);
    if (answer.from_hub) answer.hub = answer.last;
    has_answered_ |= answer.from_hub && answer.last.status != 0;
    if (!answer.last.is_redirect()) return answer;
    const bool keeps_method = answer.last.status == kTemporaryRedirect || answer.last.status == kPermanentRedirect;
    if (request.content != nullptr && !keeps_method) return answer;
    answer.url = resolve_url(answer.url, answer.last.header("location"));
  }
  throw Error(ErrorCode::kNetwork, fmt::format("{}: redirected more than {} times", url, kMostRedirects),
              "check HF_ENDPOINT and the proxy");
}

HubAnswer Session::get(const HubRequest& request, HubBody& body) {
  return follow(
      request.url, [&](const std::string& url) { return request_to(url, request); }, body);
}

HubAnswer Session::send(const HubSending& sending, HubBody& body) {
  const auto request_to = [&](const std::string& url) {
    // Without "Expect:" libcurl would wait a second for servers that do not know "100 Continue".
    HttpRequest request{url, {"Expect:"}, sending.method, &sending.content};
    if (!sending.type.empty()) request.headers.push_back("Content-Type: " + sending.type);
    if (is_hub(url) && !options_.token.empty()) request.headers.push_back(authorization());
    return request;
  };
  return follow(sending.url, request_to, body);
}

}  // namespace hf2mlx
