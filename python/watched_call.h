// A call of the library that Python can watch and stop.
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <string_view>
#include <vector>

#include "hf2mlx/progress.h"

namespace hf2mlx::python {

// The work runs on a thread of its own, which never touches Python. The calling thread gives the interpreter's lock away and waits; several
// times a second it takes the lock to look for signals and to tell the listener of progress. So other threads of Python run, Ctrl-C ends
// the work even while it waits for the network, and all code of the caller runs on the caller's own thread.
class WatchedCall : private Progress {
 public:
  // `listener` has begin(what, total), advance(done), end() and note(line). `outer` may be null; it is the caller's wish to stop. Both must
  // outlive the call.
  WatchedCall(nanobind::handle listener, const CancelToken* outer) : listener_(listener), outer_(outer) {}

  // Needs the interpreter's lock. Throws what `work` throws, or else what Python has raised meanwhile: then the work was cancelled first.
  void run(const std::function<void(Progress&, const CancelToken&)>& work);

  // For the work: has `question` answered by the calling thread, with the lock held, and waits for it. Throws Error{kCancelled} where
  // Python raises, or has raised.
  void ask(const std::function<void()>& question);

 private:
  using Event = std::function<void()>;

  void begin(std::string_view what, uint64_t total_bytes) override;
  void advance(uint64_t done_bytes) override { done_bytes_.store(done_bytes, std::memory_order_relaxed); }
  void end() override;
  void note(std::string_view line) override;

  void post(Event event);
  void finish(std::exception_ptr error);
  bool wait(std::vector<Event>& events);
  void serve();
  void call_python(const Event& event);
  void tell_progress(uint64_t done_bytes);

  const nanobind::handle listener_;
  const CancelToken* const outer_;
  CancelToken cancel_;
  std::atomic<uint64_t> done_bytes_{0};

  std::mutex mutex_;  // guards what follows, up to the blank line
  std::condition_variable changed_;
  std::vector<Event> events_;
  bool finished_ = false;
  std::exception_ptr error_;  // of the work

  // Of the calling thread alone.
  std::exception_ptr raised_;  // by Python
  bool is_running_ = false;    // between begin and end
  uint64_t told_bytes_ = 0;
};

}  // namespace hf2mlx::python
