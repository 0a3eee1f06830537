// Why the threads of a download end early, and how they sleep.
#pragma once

#include <atomic>
#include <chrono>

#include "hf2mlx/progress.h"

namespace hf2mlx {

// Thread-safe.
class Stop {
 public:
  explicit Stop(const CancelToken* cancel) : cancel_(cancel) {}

  void set() { is_set_.store(true, std::memory_order_relaxed); }
  // Throws Error{kCancelled}.
  void check() const;
  // Sleeps, and throws as soon as it is set.
  void sleep(std::chrono::milliseconds time) const;

 private:
  const CancelToken* const cancel_;
  std::atomic<bool> is_set_{false};
};

}  // namespace hf2mlx
