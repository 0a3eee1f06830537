// What oneTBB puts in order, said to ThreadSanitizer, which does not see into that library. Nothing in other builds.
#pragma once

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HF2MLX_THREAD_SANITIZER
#endif
#elif defined(__SANITIZE_THREAD__)
#define HF2MLX_THREAD_SANITIZER
#endif

#ifdef HF2MLX_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
// For what oneTBB calls: it looks at its own captures before it can take() anything. What it calls in turn is watched.
#define HF2MLX_CALLED_BY_TBB __attribute__((no_sanitize("thread")))
#else
#define HF2MLX_CALLED_BY_TBB
#endif

namespace hf2mlx {

// All before any give() is seen by all behind a take() that comes later. It states an order, and makes none. Thread-safe.
class Handover {
 public:
#ifdef HF2MLX_THREAD_SANITIZER
  void give() { __tsan_release(this); }
  void take() { __tsan_acquire(this); }
#else
  void give() {}
  void take() {}
#endif
};

}  // namespace hf2mlx
