// See http_curl.h.
#include "hub/http_curl.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <exception>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

constexpr long kBufferBytes = 256 << 10;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

HeaderList make_list(const std::vector<std::string>& headers) {
  HeaderList list;
  for (const std::string& header : headers) {
    curl_slist* longer = curl_slist_append(list.get(), header.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

std::string_view trim(std::string_view text) {
  constexpr const char* kBlanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlanks);
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Thread-safe since C++11; the global state lives as long as the process.
void initialize_once() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw Error(ErrorCode::kInternal, "libcurl: cannot be initialized", "check the libcurl installation");
}

Failure kind_of(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return Failure::kNone;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Failure::kLasting;
    default:
      return Failure::kTransient;
  }
}

// One request while it runs: what libcurl calls back into. Exceptions cannot cross libcurl, so they wait here.
class Exchange {
 public:
  Exchange(CURL* easy, HttpBody& body, const std::function<void()>& check_stop) : easy_(easy), body_(body), check_stop_(check_stop) {}

  void set_callbacks() {
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy_, CURLOPT_XFERINFOFUNCTION, &Exchange::on_progress);
    curl_easy_setopt(easy_, CURLOPT_XFERINFODATA, this);
    curl_easy_setopt(easy_, CURLOPT_NOPROGRESS, 0L);
  }

  // libcurl takes it piece by piece, and once more from the beginning where a connection that was kept turns out to be closed.
  void set_content(const std::string& method, const Reader& content) {
    content_ = &content;
    curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(content.size()));
    curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &Exchange::on_read);
    curl_easy_setopt(easy_, CURLOPT_READDATA, this);
    curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, &Exchange::on_seek);
    curl_easy_setopt(easy_, CURLOPT_SEEKDATA, this);
  }

  HttpResponse finish(CURLcode code, const char* detail) {
    if (thrown_) std::rethrow_exception(thrown_);
    if (code == CURLE_OK) begin_body();  // of a response without a body
    if (thrown_) std::rethrow_exception(thrown_);
    response_.failure = kind_of(code);
    if (code != CURLE_OK) response_.why = *detail != '\0' ? detail : curl_easy_strerror(code);
    return std::move(response_);
  }

 private:
  template <typename Call>
  bool guarded(const Call& call) {
    try {
      if (!thrown_) call();
    } catch (...) {
      thrown_ = std::current_exception();
    }
    return !thrown_;
  }

  void begin_body() {
    if (has_begun_) return;
    has_begun_ = true;
    guarded([&] { body_.begin(response_); });
  }

  void header(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // the first line of a response; those of a proxy and of "100 Continue" come before the real one
      response_ = {};
      const std::string_view status = trim(line.substr(std::min(line.find(' '), line.size())));
      std::from_chars(status.data(), status.data() + status.size(), response_.status);
      return;
    }
    const size_t colon = line.find(':');
    if (colon == line.npos) return;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    response_.headers[name] = trim(line.substr(colon + 1));
  }

  static size_t on_header(char* data, size_t size, size_t count, void* self) {
    auto* exchange = static_cast<Exchange*>(self);
    return exchange->guarded([&] { exchange->header({data, size * count}); }) ? size * count : 0;
  }

  static size_t on_body(char* data, size_t size, size_t count, void* self) {
    auto* exchange = static_cast<Exchange*>(self);
    exchange->begin_body();
    const bool ok = exchange->guarded([&] { exchange->body_.append(std::as_bytes(std::span(data, size * count))); });
    return ok ? size * count : 0;
  }

  static size_t on_read(char* data, size_t size, size_t count, void* self) {
    auto* exchange = static_cast<Exchange*>(self);
    const size_t bytes = static_cast<size_t>(std::min<uint64_t>(size * count, exchange->content_->size() - exchange->sent_bytes_));
    const bool ok =
        exchange->guarded([&] { exchange->content_->read_at(exchange->sent_bytes_, std::as_writable_bytes(std::span(data, bytes))); });
    if (!ok) return CURL_READFUNC_ABORT;
    exchange->sent_bytes_ += bytes;
    return bytes;
  }

  static int on_seek(void* self, curl_off_t offset, int origin) {
    if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    static_cast<Exchange*>(self)->sent_bytes_ = static_cast<uint64_t>(offset);
    return CURL_SEEKFUNC_OK;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto* exchange = static_cast<Exchange*>(self);
    return exchange->guarded(exchange->check_stop_) ? 0 : 1;
  }

  CURL* easy_;
  HttpBody& body_;
  const std::function<void()>& check_stop_;
  HttpResponse response_;
  bool has_begun_ = false;
  const Reader* content_ = nullptr;
  uint64_t sent_bytes_ = 0;
  std::exception_ptr thrown_;
};

class CurlHttp final : public Http {
 public:
  CurlHttp(const HubOptions& options, std::function<void()> check_stop)
      : timeout_seconds_(options.timeout_seconds), ca_file_(options.ca_file.string()), check_stop_(std::move(check_stop)) {
    initialize_once();
    easy_.reset(curl_easy_init());
    if (!easy_) throw Error(ErrorCode::kInternal, "libcurl: cannot be initialized", "check the libcurl installation");
  }

  HttpResponse send(const HttpRequest& request, HttpBody& body) override {
    CURL* easy = easy_.get();
    curl_easy_reset(easy);  // connections stay open
    const HeaderList headers = make_list(request.headers);
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
    set_limits();
    Exchange exchange(easy, body, check_stop_);
    exchange.set_callbacks();
    if (request.content != nullptr) exchange.set_content(request.method, *request.content);
    const CURLcode code = curl_easy_perform(easy);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
    return exchange.finish(code, detail);
  }

 private:
  void set_limits() {
    const long timeout = static_cast<long>(timeout_seconds_);
    curl_easy_setopt(easy_.get(), CURLOPT_NOSIGNAL, 1L);
    if (curl_easy_setopt(easy_.get(), CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK) {
      throw Error(ErrorCode::kUnsupported, "libcurl: too old, 7.85 or newer expected", "install a newer libcurl");
    }
    curl_easy_setopt(easy_.get(), CURLOPT_CONNECTTIMEOUT, timeout);
    curl_easy_setopt(easy_.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy_.get(), CURLOPT_LOW_SPEED_TIME, timeout);
    curl_easy_setopt(easy_.get(), CURLOPT_BUFFERSIZE, kBufferBytes);
    if (!ca_file_.empty()) curl_easy_setopt(easy_.get(), CURLOPT_CAINFO, ca_file_.c_str());
    curl_easy_setopt(easy_.get(), CURLOPT_USERAGENT, "hf2mlx/" HF2MLX_VERSION);
  }

  const unsigned timeout_seconds_;
  const std::string ca_file_;
  const std::function<void()> check_stop_;
  std::unique_ptr<CURL, FreeEasy> easy_;
};

}  // namespace

ConnectionFactory curl_connections(const HubOptions& options) {
  return [options](std::function<void()> check_stop) { return std::make_unique<CurlHttp>(options, std::move(check_stop)); };
}

}  // namespace hf2mlx
