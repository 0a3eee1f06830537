// One HTTP request. The hub is spoken to through this interface; hub/http_curl.cc implements it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"

namespace hf2mlx {

struct HttpRequest {
  std::string url;
  std::vector<std::string> headers = {};  // "Name: value"
  std::string method = "GET";
  const Reader* content = nullptr;  // what is sent, with PUT and POST
};

// Whether a connection failed, and whether it may be better next time.
enum class Failure { kNone, kTransient, kLasting };

struct HttpResponse {
  int status = 0;                              // 0: none came
  std::map<std::string, std::string> headers;  // names in lower case
  Failure failure = Failure::kNone;            // the body may then be cut
  std::string why;                             // it failed

  bool is_success() const { return status >= 200 && status < 300; }
  bool is_redirect() const { return status >= 300 && status < 400 && headers.contains("location"); }
  // Empty when there is no such header.
  std::string header(const std::string& name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? "" : at->second;
  }
};

// Receives a response as it arrives. What it throws ends the request and comes out of Http::send.
class HttpBody {
 public:
  virtual ~HttpBody() = default;
  virtual void begin(const HttpResponse& response) = 0;
  virtual void append(std::span<const std::byte> data) = 0;
};

// A connection that is kept and used again. Not thread-safe.
class Http {
 public:
  virtual ~Http() = default;
  // Follows no redirects.
  virtual HttpResponse send(const HttpRequest& request, HttpBody& body) = 0;
};

// Makes a connection. `check_stop` is called often and throws to end a request.
using ConnectionFactory = std::function<std::unique_ptr<Http>(std::function<void()> check_stop)>;

}  // namespace hf2mlx
