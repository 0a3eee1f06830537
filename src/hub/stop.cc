// See stop.h.
#include "hub/stop.h"

#include <algorithm>
#include <thread>

#include "hf2mlx/error.h"

namespace hf2mlx {

void Stop::check() const {
  const bool cancelled = cancel_ != nullptr && cancel_->cancelled();
  if (cancelled || is_set_.load(std::memory_order_relaxed)) {
    throw Error(ErrorCode::kCancelled, "interrupted", "what has arrived is kept; the next run goes on from there");
  }
}

void Stop::sleep(std::chrono::milliseconds time) const {
  constexpr std::chrono::milliseconds kSlice{50};
  const auto end = std::chrono::steady_clock::now() + time;
  for (;;) {
    check();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    std::this_thread::sleep_for(std::min(left, kSlice));
  }
}

}  // namespace hf2mlx
