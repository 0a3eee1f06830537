// Requests to the hub: redirects, and who may see the token.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "hf2mlx/options.h"
#include "hub/http.h"

namespace hf2mlx {

struct HubRequest {
  std::string url;
  uint64_t begin_bytes = 0;  // only what follows,
  uint64_t end_bytes = 0;    // up to here; 0: to the end
  std::string etag = {};     // if that is still what the hub has; else everything comes
};

// Something that is sent to the hub, or to where it says.
struct HubSending {
  std::string method;  // "PUT" or "POST"
  std::string url;
  const Reader& content;
  std::string type = {};  // Content-Type; empty: none is stated
};

struct HubAnswer {
  HttpResponse hub;   // the last one of the hub itself: X-Repo-Commit, X-Linked-Etag ...
  HttpResponse last;  // the one that counts; of a storage host where the hub redirects there
  std::string url;    // of `last`
  bool from_hub = true;
};

// Receives the body of an answer that is a success.
class HubBody {
 public:
  virtual ~HubBody() = default;
  virtual void begin(const HubAnswer& answer) = 0;
  virtual void append(std::span<const std::byte> data) = 0;
};

// One connection. Not thread-safe.
class Session {
 public:
  Session(const HubOptions& options, std::unique_ptr<Http> http) : options_(options), http_(std::move(http)) {}

  // One attempt. Follows redirects; the token, and what else concerns only the hub, never goes to another host.
  HubAnswer get(const HubRequest& request, HubBody& body);
  // The same. A redirect is followed only where it asks for the same method (307, 308): a repository that was renamed.
  HubAnswer send(const HubSending& sending, HubBody& body);
  const HubOptions& options() const { return options_; }
  // Whether the hub ever did: one that never does is not waited for.
  bool has_answered() const { return has_answered_; }

 private:
  using RequestTo = std::function<HttpRequest(const std::string& url)>;
  HubAnswer follow(const std::string& url, const RequestTo& request_to, HubBody& body);
  HttpRequest request_to(const std::string& url, const HubRequest& request) const;
  bool is_hub(const std::string& url) const;
  std::string authorization() const;

  const HubOptions& options_;
  std::unique_ptr<Http> http_;
  bool has_answered_ = false;
};

}  // namespace hf2mlx
