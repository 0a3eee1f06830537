// See progress_line.h.
#include "cli/progress_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/columns.h"
#include "request/text.h"

namespace hf2mlx::cli {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kRateWindowSeconds = 3;
// Plain lines go to logs: one for every 10 % of a long run, none in between for a short one.
constexpr uint64_t kLinePercent = 10;
constexpr double kLineSeconds = 2;
constexpr size_t kShortestBar = 10;
constexpr size_t kLongestBar = 40;
constexpr const char* kClearLine = "\r\x1b[K";

uint64_t percent_of(const ProgressState& state) {
  if (state.total_bytes == 0) return 100;
  return std::min<uint64_t>(100,
                            static_cast<uint64_t>(100.0 * static_cast<double>(state.done_bytes) / static_cast<double>(state.total_bytes)));
}

std::string rate_of(const ProgressState& state) { return state.bytes_per_second > 0 ? format_rate(state.bytes_per_second) : ""; }

std::string time_left(const ProgressState& state) {
  if (state.bytes_per_second <= 0 || state.done_bytes >= state.total_bytes) return "";
  return format_duration(static_cast<double>(state.total_bytes - state.done_bytes) / state.bytes_per_second) + " left";
}

std::string amount_of(const ProgressState& state) { return format_bytes(state.done_bytes) + " of " + format_bytes(state.total_bytes); }

std::string bar_of(const ProgressState& state, size_t columns) {
  const size_t inside = columns - 2;
  const size_t filled = inside * percent_of(state) / 100;
  return fmt::format("[{}{}]", std::string(filled, '='), std::string(inside - filled, ' '));
}

void append(std::string& text, const std::string& part) {
  if (!part.empty()) text += "  " + part;
}

}  // namespace

std::string render_bar(const ProgressState& state, size_t width) {
  const std::string percent = fmt::format("{:3} %", percent_of(state));
  std::string tail;
  for (const std::string& part : {amount_of(state), rate_of(state), time_left(state)}) append(tail, part);
  const std::string head = state.what + "  ";
  const size_t used = display_width(head) + percent.size() + 2 + display_width(tail);
  if (used + kShortestBar <= width) return head + percent + "  " + bar_of(state, std::min(width - used, kLongestBar)) + tail;
  for (const std::string& shorter : {head + percent + "  " + amount_of(state), percent + "  " + amount_of(state)}) {
    if (display_width(shorter) <= width) return shorter;
  }
  return percent.substr(0, width);
}

std::string render_line(const ProgressState& state) {
  std::string line = fmt::format("{}: {} %, {}", state.what, percent_of(state), amount_of(state));
  for (const std::string& part : {rate_of(state), time_left(state)}) line += part.empty() ? "" : ", " + part;
  return line;
}

ProgressLine::~ProgressLine() {
  // Reached with a bar on the screen only when the conversion failed: how far it came stays readable above the error.
  if (bar_is_drawn_) err_ << '\n' << std::flush;
}

void ProgressLine::begin(std::string_view what, uint64_t total_bytes) {
  const double now = surroundings_.seconds();
  clear_bar();
  state_ = {.what = std::string(what), .total_bytes = total_bytes};
  samples_.assign(1, {now, 0});
  next_draw_ = now + (style_ == Style::kLines ? kLineSeconds : 0);
  next_percent_ = kLinePercent;
  if (style_ == Style::kLines) err_ << what << ": " << format_bytes(total_bytes) << '\n' << std::flush;
}

void ProgressLine::advance(uint64_t done_bytes) {
  state_.done_bytes = done_bytes;
  if (style_ == Style::kNothing) return;
  const double now = surroundings_.seconds();
  if (now < next_draw_) return;
  if (style_ == Style::kLines && percent_of(state_) < next_percent_) return;
  measure(now);
  draw(now);
}

void ProgressLine::measure(double now) {
  samples_.emplace_back(now, state_.done_bytes);
  while (samples_.size() > 2 && now - samples_[1].first >= kRateWindowSeconds) samples_.pop_front();
  const auto [then, bytes] = samples_.front();
  // Nothing is said about the rate while there is too little to say it from.
  if (now - then < kRedrawSeconds || state_.done_bytes < bytes) return;
  state_.bytes_per_second = static_cast<double>(state_.done_bytes - bytes) / (now - then);
}

void ProgressLine::draw(double now) {
  if (style_ == Style::kLines) {
    err_ << render_line(state_) << '\n' << std::flush;
    next_percent_ = percent_of(state_) / kLinePercent * kLinePercent + kLinePercent;
    next_draw_ = now + kLineSeconds;
    return;
  }
  // The last column stays free: some terminals wrap when it is written.
  const size_t width = std::max<size_t>(2, surroundings_.width()) - 1;
  err_ << kClearLine << render_bar(state_, width) << std::flush;
  bar_is_drawn_ = true;
  next_draw_ = now + kRedrawSeconds;
}

void ProgressLine::end() { clear_bar(); }

void ProgressLine::note(std::string_view line) {
  if (style_ == Style::kNothing) return;
  clear_bar();
  surroundings_.note(line);
}

void ProgressLine::clear_bar() {
  if (!bar_is_drawn_) return;
  err_ << kClearLine << std::flush;
  bar_is_drawn_ = false;
}

}  // namespace hf2mlx::cli
