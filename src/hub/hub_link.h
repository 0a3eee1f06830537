// Connections to the hub that several threads share, and what has come over them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "hub/http.h"
#include "hub/part_fetch.h"
#include "hub/session.h"
#include "hub/stop.h"

namespace hf2mlx {

// Thread-safe. Must outlive all its leases.
class HubLink {
 public:
  // While offline, every request is Error{kNotFound}. `cancel` may be null.
  HubLink(HubOptions options, ConnectionFactory connect, const CancelToken* cancel);

  // A connection for as long as this exists.
  class Lease {
   public:
    explicit Lease(HubLink& link) : link_(link), session_(link.take()) {}
    ~Lease() { link_.give_back(std::move(session_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Session& session() { return *session_; }

   private:
    HubLink& link_;
    std::unique_ptr<Session> session_;
  };

  const HubOptions& options() const { return options_; }
  const TransferEvents& events() const { return events_; }
  Stop& stop() { return stop_; }
  // Of all answers: files, lists, errors.
  uint64_t received_bytes() const { return received_bytes_; }

 private:
  std::unique_ptr<Session> take();
  void give_back(std::unique_ptr<Session> session);

  const HubOptions options_;
  const ConnectionFactory connect_;
  Stop stop_;
  std::atomic<uint64_t> received_bytes_{0};
  TransferEvents events_;
  std::mutex mutex_;  // guards all below
  std::vector<std::unique_ptr<Session>> idle_;
};

// Runs `work(i)` for each i below `count`, several at once; throws what the first of them threw.
void for_each_connection(HubLink& link, size_t count, const std::function<void(size_t)>& work);

}  // namespace hf2mlx
