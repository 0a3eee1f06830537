// See session.h.
#include "hub/session.h"

#include <fmt/format.h>

#include "hf2mlx/error.h"
#include "hub/url.h"

namespace hf2mlx {
namespace {

constexpr int kMostRedirects = 10;

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

HttpRequest Session::request_to(const std::string& url, const HubRequest& request) const {
  HttpRequest out{url, {}};
  const std::string range = range_of(request);
  if (!range.empty()) out.headers.push_back(range);
  if (!is_hub(url)) return out;
  if (!range.empty() && !request.etag.empty()) out.headers.push_back(fmt::format("If-Range: \"{}\"", request.etag));
  if (!options_.token.empty()) out.headers.push_back("Authorization: Bearer " + options_.token);
  return out;
}

HubAnswer Session::get(const HubRequest& request, HubBody& body) {
  HubAnswer answer;
  answer.url = request.url;
  for (int i = 0; i <= kMostRedirects; ++i) {
    answer.from_hub = is_hub(answer.url);
    Filter filter(answer, body);
    answer.last = http_->get(request_to(answer.url, request), filter);
    if (answer.from_hub) answer.hub = answer.last;
    if (!answer.last.is_redirect()) return answer;
    answer.url = resolve_url(answer.url, answer.last.header("location"));
  }
  throw Error(ErrorCode::kNetwork, fmt::format("{}: redirected more than {} times", request.url, kMostRedirects),
              "check HF_ENDPOINT and the proxy");
}

}  // namespace hf2mlx
