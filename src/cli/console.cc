// See console.h.
#include "cli/console.h"

#include <fmt/format.h>

#include <iostream>
#include <vector>

#include "cli/columns.h"
#include "cli/terminal.h"
#include "request/text.h"

namespace hf2mlx::cli {
namespace {

constexpr std::string_view kRed = "31";
constexpr std::string_view kYellow = "33";

std::string label(const Console& console, std::string_view word, std::string_view color) {
  return console.err_has_color ? fmt::format("\x1b[1;{}m{}\x1b[0m", color, word) : std::string(word);
}

}  // namespace

void Console::note(std::string_view line) const { err << label(*this, "note:", kYellow) << ' ' << printable(line) << '\n'; }

void Console::error(const Error& error) const {
  err << "hf2mlx: " << label(*this, "error:", kRed) << ' ' << printable_lines(error.what()) << '\n';
  if (!error.hint().empty()) err << "  " << printable(error.hint()) << '\n';
}

Context process_context(std::ostream& out, int argc, char** argv) {
  const Environment environment = process_environment();
  const bool err_is_terminal = is_terminal(Stream::kErr);
  const bool moves_cursor = err_is_terminal && !environment.dumb_terminal;
  std::vector<std::string> words = {"hf2mlx"};
  for (int i = 1; i < argc; ++i) words.push_back(shell_quote(argv[i]));
  return {.console = {.out = out,
                      .err = std::cerr,
                      .in_is_terminal = is_terminal(Stream::kIn),
                      .out_is_terminal = is_terminal(Stream::kOut),
                      .err_is_terminal = err_is_terminal,
                      .err_has_color = moves_cursor && !environment.no_color,
                      .err_moves_cursor = moves_cursor},
          .environment = environment,
          .command_line = join(words, " "),
          .exit_status = 0};
}

}  // namespace hf2mlx::cli
