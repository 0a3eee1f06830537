// See terminal.h.
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "cli/terminal.h"
#include "hf2mlx/error.h"

namespace hf2mlx::cli {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

std::atomic<CancelToken*> g_token = nullptr;
std::atomic<bool> g_says_so = true;
std::array<struct sigaction, kSignals.size()> g_saved;

static_assert(std::atomic<CancelToken*>::is_always_lock_free, "used in a signal handler");

int descriptor(Stream stream) { return stream == Stream::kIn ? STDIN_FILENO : stream == Stream::kOut ? STDOUT_FILENO : STDERR_FILENO; }

// Only calls that are safe in a signal handler.
void on_signal(int) {
  CancelToken* token = g_token.load();
  if (!token || token->cancelled()) _exit(static_cast<int>(ErrorCode::kCancelled));
  token->cancel();
  constexpr char kMessage[] = "\nstopping; interrupt again to leave at once\n";
  if (!g_says_so || !isatty(STDERR_FILENO)) return;
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
}

}  // namespace

bool is_terminal(Stream stream) { return isatty(descriptor(stream)) == 1; }

unsigned terminal_width(Stream stream) {
  winsize size{};
  if (ioctl(descriptor(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

double monotonic_seconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

uint64_t memory_bytes() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGESIZE);
  return pages > 0 && page_bytes > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes) : 0;
}

int write_out(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno == EPIPE ? 0 : errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

void ignore_broken_pipes() { signal(SIGPIPE, SIG_IGN); }

InterruptGuard::InterruptGuard(CancelToken& token, Word word) {
  g_says_so = word == Word::kSaid;
  g_token = &token;
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &g_saved[i]);
    if (g_saved[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &g_saved[i], nullptr);
  g_token = nullptr;
}

}  // namespace hf2mlx::cli
