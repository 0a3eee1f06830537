// Trying again, with growing pauses.
#pragma once

#include <chrono>
#include <functional>

#include "hub/session.h"

namespace hf2mlx {

// Sleeps, or throws when the download is to stop.
using Sleep = std::function<void(std::chrono::milliseconds)>;

// Counts the failures of one request since it last made progress.
class Retry {
 public:
  explicit Retry(Sleep sleep) : sleep_(std::move(sleep)) {}

  void made_progress() { failures_ = 0; }
  // After a failure: sleeps, as long as the hub asks or twice as long as before, and returns true; false when it is final.
  bool again(const HubAnswer& answer);

 private:
  Sleep sleep_;
  unsigned failures_ = 0;
};

}  // namespace hf2mlx
