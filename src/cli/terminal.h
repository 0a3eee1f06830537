// The few things that the program asks of a terminal and of the operating system.
#pragma once

#include <cstdint>
#include <string_view>

#include "hf2mlx/progress.h"

namespace hf2mlx::cli {

enum class Stream { kIn, kOut, kErr };

bool is_terminal(Stream stream);
unsigned terminal_width(Stream stream);  // columns; 80 when unknown
bool can_move_cursor();                  // standard output, by TERM and the database of terminals
double monotonic_seconds();
uint64_t memory_bytes();  // of the machine; 0 when unknown

// All of `text` to standard output. A reader that has gone away is no error (`hf2mlx list | head -1`). Returns 0 or the errno.
int write_out(std::string_view text) noexcept;

// Writing to a closed pipe then fails with EPIPE instead of ending the program in the middle of a conversion.
void ignore_broken_pipes();

// While it lives, the first SIGINT, SIGTERM or SIGHUP sets the token, and a second one ends the program at once with status 130.
// A signal that was ignored when the program started (nohup, a background job) stays ignored. At most one may exist.
class InterruptGuard {
 public:
  enum class Word { kSaid, kUnsaid };  // that the program is about to stop: it may take a moment

  explicit InterruptGuard(CancelToken& token, Word word = Word::kSaid);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

}  // namespace hf2mlx::cli
