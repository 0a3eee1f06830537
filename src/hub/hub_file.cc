// See hub_file.h.
#include "hub/hub_file.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "hub/url.h"

namespace hf2mlx {
namespace {

constexpr int kPartialContent = 206;
constexpr int kTooManyRequests = 429;

// "W/"x"" and ""x"" are x.
std::string plain_etag(std::string etag) {
  if (etag.starts_with("W/")) etag.erase(0, 2);
  std::erase(etag, '"');
  return etag;
}

// Of "bytes 5-9/10"; nothing when it is not of this form.
std::optional<uint64_t> first_byte(const std::string& content_range) {
  constexpr std::string_view kUnit = "bytes ";
  if (!content_range.starts_with(kUnit)) return std::nullopt;
  uint64_t first = 0;
  const char* begin = content_range.data() + kUnit.size();
  const auto [end, error] = std::from_chars(begin, content_range.data() + content_range.size(), first);
  if (error != std::errc() || *end != '-') return std::nullopt;
  return first;
}

bool is_refusal(const HubAnswer& answer) {
  const int status = answer.last.status;
  return answer.last.failure == Failure::kNone && status >= 400 && status < 500 && status != kTooManyRequests;
}

}  // namespace

std::string resolve_address(const HubOptions& options, const std::string& repo_id, const std::string& commit, const std::string& path) {
  return fmt::format("{}/{}/resolve/{}/{}", options.endpoint, repo_id, commit, percent_encode(path, "/"));
}

HubFile::HubFile(const HubOptions& options, const Wanted& wanted, std::string commit, const TreeEntry& entry)
    : wanted_{wanted.repo_id, wanted.revision, entry.path},
      commit_(std::move(commit)),
      entry_(entry),
      hub_address_(resolve_address(options, wanted.repo_id, commit_, entry.path)) {}

HubFile::Parts HubFile::parts() const {
  const std::lock_guard lock(mutex_);
  return parts_;
}

HubRequest HubFile::request(ByteRange range) const {
  const std::lock_guard lock(mutex_);
  const std::string& url = storage_address_.empty() ? hub_address_ : storage_address_;
  const bool is_all = range == ByteRange{0, entry_.size_bytes};
  return {url, range.begin_bytes, is_all ? 0 : range.end_bytes, entry_.etag()};
}

ByteRange HubFile::accept(const HubRequest& request, const HubAnswer& answer) {
  check_same_file(answer.hub);
  const bool is_part = answer.last.status == kPartialContent;
  if (is_part) check_range(request, answer.last);
  const std::lock_guard lock(mutex_);
  if (!answer.from_hub) storage_address_ = answer.url;
  if (request.end_bytes > 0 && parts_ != Parts::kNotSent) parts_ = is_part ? Parts::kSent : Parts::kNotSent;
  if (!is_part) return {0, entry_.size_bytes};
  return {request.begin_bytes, request.end_bytes > 0 ? request.end_bytes : entry_.size_bytes};
}

bool HubFile::has_moved(const HubRequest& request, const HubAnswer& answer) {
  const std::lock_guard lock(mutex_);
  if (storage_address_ == request.url) storage_address_.clear();
  return request.url != hub_address_ && is_refusal(answer);
}

// The tree of a commit never changes: a hub that says otherwise is none, or lies.
void HubFile::check_same_file(const HttpResponse& hub) const {
  const std::string commit = hub.header("x-repo-commit");
  const std::string linked = hub.header("x-linked-etag");
  const std::string etag = plain_etag(linked.empty() ? hub.header("etag") : linked);
  const std::string size = hub.header("x-linked-size");
  const bool is_same_size = size.empty() || size == std::to_string(entry_.size_bytes);
  if ((commit.empty() || commit == commit_) && (etag.empty() || etag == entry_.etag()) && is_same_size) return;
  throw Error(ErrorCode::kCorrupt,
              fmt::format("{}: {}: the hub has commit {}, content {}, {} bytes; its list of files says commit {}, content {}, {} bytes",
                          wanted_.repo_id, entry_.path, commit, etag, size, commit_, entry_.etag(), entry_.size_bytes),
              "try again later, or check HF_ENDPOINT and the proxy");
}

void HubFile::check_range(const HubRequest& request, const HttpResponse& response) const {
  const std::string range = response.header("content-range");
  if (first_byte(range) == request.begin_bytes) return;
  throw Error(
      ErrorCode::kNetwork,
      fmt::format("{}: {}: found the range '{}', expected one from byte {}", wanted_.repo_id, entry_.path, range, request.begin_bytes),
      "check the proxy, or try again later");
}

}  // namespace hf2mlx
