/// \file How a caller watches and stops a call.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "hf2mlx/export.h"

namespace hf2mlx {

/// Called by threads of the library, for one call never by two at once. All methods do nothing by default, and must not throw.
class HF2MLX_API Progress {
 public:
  virtual ~Progress() = default;
  virtual void begin(std::string_view /*what*/, uint64_t /*total_bytes*/) {}
  /// Bytes of the source dealt with so far; called often (every block), must be quick.
  virtual void advance(uint64_t /*done_bytes*/) {}
  virtual void end() {}
  virtual void note(std::string_view /*line*/) {}  ///< something the user should know
};

/// Set from a signal handler or another thread; the library then stops at the next block with Error{kCancelled}.
class CancelToken {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace hf2mlx
