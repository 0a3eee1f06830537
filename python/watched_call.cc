// See watched_call.h.
#include "watched_call.h"

#include <nanobind/stl/string.h>

#include <chrono>
#include <string>
#include <thread>

#include "hf2mlx/error.h"

namespace hf2mlx::python {

namespace nb = nanobind;

namespace {

// How long Ctrl-C may take to be seen.
constexpr auto kPatience = std::chrono::milliseconds(50);

[[noreturn]] void stop() { throw Error(ErrorCode::kCancelled, "interrupted"); }

}  // namespace

void WatchedCall::run(const std::function<void(Progress&, const CancelToken&)>& work) {
  {
    const nb::gil_scoped_release release;
    std::thread worker([&] {
      try {
        work(*this, cancel_);
        finish(nullptr);
      } catch (...) {
        finish(std::current_exception());
      }
    });
    serve();
    worker.join();
  }
  if (raised_) std::rethrow_exception(raised_);
  if (error_) std::rethrow_exception(error_);
}

void WatchedCall::ask(const std::function<void()>& question) {
  std::mutex mutex;
  std::condition_variable changed;
  bool answered = false;
  bool failed = false;
  post([&] {
    if (!raised_) call_python(question);
    const std::lock_guard lock(mutex);
    answered = true;
    failed = raised_ != nullptr;
    changed.notify_one();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return answered; });
  if (failed) stop();
}

void WatchedCall::begin(std::string_view what, uint64_t total_bytes) {
  done_bytes_.store(0, std::memory_order_relaxed);
  post([this, what = std::string(what), total_bytes] {
    is_running_ = true;
    told_bytes_ = 0;
    call_python([&] { listener_.attr("begin")(what, total_bytes); });
  });
}

void WatchedCall::end() {
  post([this, done_bytes = done_bytes_.load(std::memory_order_relaxed)] {
    tell_progress(done_bytes);
    is_running_ = false;
    call_python([&] { listener_.attr("end")(); });
  });
}

void WatchedCall::note(std::string_view line) {
  post([this, line = std::string(line)] { call_python([&] { listener_.attr("note")(line); }); });
}

void WatchedCall::post(Event event) {
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
  changed_.notify_one();
}

void WatchedCall::finish(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
  finished_ = true;
  changed_.notify_one();
}

// Whether the work goes on. `events` are those that came.
bool WatchedCall::wait(std::vector<Event>& events) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kPatience, [&] { return finished_ || !events_.empty(); });
  events = std::move(events_);
  events_.clear();
  return !finished_;
}

void WatchedCall::serve() {
  for (bool goes_on = true; goes_on;) {
    std::vector<Event> events;
    goes_on = wait(events);
    const nb::gil_scoped_acquire acquire;
    for (const Event& event : events) event();
    if (is_running_) tell_progress(done_bytes_.load(std::memory_order_relaxed));
    // Only in Python's main thread does this look for signals.
    call_python([] {
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
    });
    if (outer_ && outer_->cancelled()) cancel_.cancel();
  }
}

// The first exception ends the work, and Python is not called again.
void WatchedCall::call_python(const Event& event) {
  if (raised_) return;
  try {
    event();
  } catch (...) {
    raised_ = std::current_exception();
    cancel_.cancel();
  }
}

void WatchedCall::tell_progress(uint64_t done_bytes) {
  if (done_bytes == told_bytes_) return;
  told_bytes_ = done_bytes;
  call_python([&] { listener_.attr("advance")(done_bytes); });
}

}  // namespace hf2mlx::python
