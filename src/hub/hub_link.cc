// See hub_link.h.
#include "hub/hub_link.h"

#include <algorithm>
#include <exception>
#include <thread>

#include "hf2mlx/error.h"
#include "hub/transfer.h"

namespace hf2mlx {
namespace {

class CountingBody final : public HttpBody {
 public:
  CountingBody(HttpBody& body, std::atomic<uint64_t>& bytes) : body_(body), bytes_(bytes) {}
  void begin(const HttpResponse& response) override { body_.begin(response); }
  void append(std::span<const std::byte> data) override {
    bytes_ += data.size();
    body_.append(data);
  }

 private:
  HttpBody& body_;
  std::atomic<uint64_t>& bytes_;
};

// In place of a connection.
class Offline final : public Http {
 public:
  HttpResponse send(const HttpRequest&, HttpBody&) override {
    throw Error(ErrorCode::kNotFound, "what is here is not complete, and offline", "to allow downloads, unset HF_HUB_OFFLINE");
  }
};

class CountingHttp final : public Http {
 public:
  CountingHttp(std::unique_ptr<Http> http, std::atomic<uint64_t>& bytes) : http_(std::move(http)), bytes_(bytes) {}
  HttpResponse send(const HttpRequest& request, HttpBody& body) override {
    CountingBody counting(body, bytes_);
    return http_->send(request, counting);
  }

 private:
  std::unique_ptr<Http> http_;
  std::atomic<uint64_t>& bytes_;
};

}  // namespace

HubLink::HubLink(HubOptions options, ConnectionFactory connect, const CancelToken* cancel)
    : options_(std::move(options)),
      connect_(std::move(connect)),
      stop_(cancel),
      events_{.advanced = [](int64_t) {},
              .received = [](uint64_t) {},
              .noted = [](const std::string&) {},
              .sleep = [this](std::chrono::milliseconds time) { stop_.sleep(time); }} {}

std::unique_ptr<Session> HubLink::take() {
  if (options_.offline) return std::make_unique<Session>(options_, std::make_unique<Offline>());
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) {
    return std::make_unique<Session>(options_, std::make_unique<CountingHttp>(connect_([this] { stop_.check(); }), received_bytes_));
  }
  std::unique_ptr<Session> session = std::move(idle_.back());
  idle_.pop_back();
  return session;
}

void HubLink::give_back(std::unique_ptr<Session> session) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(session));
}

void for_each_connection(HubLink& link, size_t count, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next{0};
  std::mutex mutex;  // guards the error
  std::exception_ptr error;
  const auto run = [&] {
    try {
      for (size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      link.stop().set();
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < std::min<size_t>(kMostConnections, count); ++i) threads.emplace_back(run);
  for (std::thread& thread : threads) thread.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace hf2mlx
