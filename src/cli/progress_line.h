// How far a conversion has come, on stderr: a bar that is redrawn on a terminal, a few plain lines elsewhere.
#pragma once

#include <deque>
#include <functional>
#include <iosfwd>
#include <string>
#include <utility>

#include "hf2mlx/progress.h"

namespace hf2mlx::cli {

struct ProgressState {
  std::string what;
  uint64_t done_bytes = 0;
  uint64_t total_bytes = 0;
  double bytes_per_second = 0;  // 0: not known yet
};

// At most `width` columns; the bar shrinks first, then the rate, then the name.
std::string render_bar(const ProgressState& state, size_t width);
// "Converting: 40 %, 6.6 of 16.4 GB, 2.1 GB/s, 5 s left"
std::string render_line(const ProgressState& state);

// Not thread-safe; the library never calls it from two threads at once.
class ProgressLine : public Progress {
 public:
  enum class Style { kBar, kLines, kNothing };

  struct Surroundings {
    std::function<double()> seconds;  // a clock that never goes back
    std::function<size_t()> width;    // of the terminal, now
    std::function<void(std::string_view)> note;
  };

  ProgressLine(std::ostream& err, Style style, Surroundings surroundings)
      : err_(err), style_(style), surroundings_(std::move(surroundings)) {}
  ~ProgressLine() override;  // leaves the cursor at the beginning of a line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void begin(std::string_view what, uint64_t total_bytes) override;
  void advance(uint64_t done_bytes) override;
  void end() override;
  void note(std::string_view line) override;

 private:
  void draw(double now);
  void clear_bar();
  void measure(double now);

  std::ostream& err_;
  const Style style_;
  const Surroundings surroundings_;
  ProgressState state_;
  std::deque<std::pair<double, uint64_t>>
      samples_;  // time and bytes done of the last few drawings: the rate is that of now, not of the whole run
  double next_draw_ = 0;
  uint64_t next_percent_ = 0;  // of plain lines
  bool bar_is_drawn_ = false;
};

}  // namespace hf2mlx::cli
