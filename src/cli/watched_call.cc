// See watched_call.h.
#include "cli/watched_call.h"

#include <algorithm>

#include "cli/progress_line.h"
#include "cli/terminal.h"

namespace hf2mlx::cli {
namespace {

ProgressLine::Style style_on(const Console& console, Quiet quiet) {
  if (quiet == Quiet::kYes) return ProgressLine::Style::kNothing;
  return console.err_moves_cursor ? ProgressLine::Style::kBar : ProgressLine::Style::kLines;
}

}  // namespace

void Notes::show(const Context& context, const std::vector<std::string>& notes) {
  for (const std::string& note : notes) {
    if (std::find(shown_.begin(), shown_.end(), note) != shown_.end()) continue;
    context.console.note(note);
    shown_.push_back(note);
  }
}

void watched_call(const Context& context, Quiet quiet, Notes& notes, const std::function<void(Progress&, const CancelToken&)>& call) {
  ProgressLine progress(context.console.err, style_on(context.console, quiet),
                        {.seconds = monotonic_seconds,
                         .width = [] { return terminal_width(Stream::kErr); },
                         .note = [&](std::string_view line) { notes.show(context, {std::string(line)}); }});
  CancelToken cancel;
  const InterruptGuard guard(cancel);
  call(progress, cancel);
}

}  // namespace hf2mlx::cli
