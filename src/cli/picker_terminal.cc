// The picker's terminal, by ncurses. See picker_terminal.h.
#include "cli/picker_terminal.h"

#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#ifndef _XOPEN_SOURCE_EXTENDED
#define _XOPEN_SOURCE_EXTENDED 1
#endif
#include <curses.h>
#include <langinfo.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <string_view>

#include "cli/columns.h"
#include "cli/terminal.h"

namespace hf2mlx::cli {
namespace {

constexpr int kWaitMilliseconds = 100;
constexpr int kEscapeMilliseconds = 50;  // how long the rest of a key's sequence may take
constexpr short kGreenPair = 1;
constexpr short kYellowPair = 2;

std::string utf8(wint_t c) {
  const auto value = static_cast<uint32_t>(c);
  const auto tail = [value](int shift) { return static_cast<char>(0x80 | (value >> shift & 0x3F)); };
  if (value < 0x80) return {static_cast<char>(value)};
  if (value < 0x800) return {static_cast<char>(0xC0 | value >> 6), tail(0)};
  if (value < 0x10000) return {static_cast<char>(0xE0 | value >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | value >> 18), tail(12), tail(6), tail(0)};
}

// For a terminal that does not say that it knows UTF-8.
std::string ascii(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) out += c;
    if (byte >= 0xC0) out += '?';
  }
  return out;
}

TerminalEvent pressed(Key key) { return {TerminalEvent::kKey, {key}}; }

TerminalEvent of_function_key(wint_t code) {
  switch (code) {
    case KEY_RESIZE:
      return {TerminalEvent::kResize};
    case KEY_UP:
      return pressed(Key::kUp);
    case KEY_DOWN:
      return pressed(Key::kDown);
    case KEY_LEFT:
      return pressed(Key::kLeft);
    case KEY_RIGHT:
      return pressed(Key::kRight);
    case KEY_PPAGE:
      return pressed(Key::kPageUp);
    case KEY_NPAGE:
      return pressed(Key::kPageDown);
    case KEY_HOME:
      return pressed(Key::kHome);
    case KEY_END:
      return pressed(Key::kEnd);
    case KEY_BTAB:
      return pressed(Key::kBackTab);
    case KEY_ENTER:
      return pressed(Key::kEnter);
    case KEY_BACKSPACE:
      return pressed(Key::kBackspace);
    case KEY_DC:
      return pressed(Key::kDelete);
    default:
      return {};
  }
}

constexpr wint_t control(char letter) { return static_cast<wint_t>(letter & 0x1F); }

TerminalEvent of_character(wint_t c) {
  switch (c) {
    case control('C'):
      return {TerminalEvent::kInterrupt};
    case control('L'):
      return {TerminalEvent::kResize};
    case control('N'):
      return pressed(Key::kDown);
    case control('P'):
      return pressed(Key::kUp);
    case control('U'):
      return pressed(Key::kClear);
    case '\t':
      return pressed(Key::kTab);
    case '\r':
    case '\n':
      return pressed(Key::kEnter);
    case 0x1B:
      return pressed(Key::kEscape);
    case 0x7F:
    case '\b':
      return pressed(Key::kBackspace);
    default:
      break;
  }
  const std::string text = utf8(c);
  return printable(text) == text ? TerminalEvent{TerminalEvent::kKey, {Key::kText, text}} : TerminalEvent{};
}

class CursesTerminal final : public PickerTerminal {
 public:
  CursesTerminal(SCREEN* screen, Colors colors) : screen_(screen), is_utf8_(std::string_view(nl_langinfo(CODESET)) == "UTF-8") {
    raw();  // Ctrl-C is a key, so that the terminal is given back in one place
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    wtimeout(stdscr, kWaitMilliseconds);
    set_escdelay(kEscapeMilliseconds);
    has_colors_ = colors == Colors::kYes && has_colors() && start_color() == OK && use_default_colors() == OK;
    if (!has_colors_) return;
    init_pair(kGreenPair, COLOR_GREEN, -1);
    init_pair(kYellowPair, COLOR_YELLOW, -1);
  }

  ~CursesTerminal() override {
    endwin();
    delscreen(screen_);
    std::fflush(stdout);
  }

  Extent extent() const override {
    return {static_cast<size_t>(std::max(getmaxx(stdscr), 1)), static_cast<size_t>(std::max(getmaxy(stdscr), 1))};
  }

  void show(const Frame& frame) override {
    werase(stdscr);
    for (size_t row = 0; row < frame.lines.size(); ++row) {
      wmove(stdscr, static_cast<int>(row), 0);
      for (const Span& span : frame.lines[row]) {
        wattrset(stdscr, static_cast<int>(attributes_of(span.style)));
        const std::string text = is_utf8_ ? span.text : ascii(span.text);
        waddnstr(stdscr, text.c_str(), static_cast<int>(text.size()));
      }
    }
    wattrset(stdscr, A_NORMAL);
    curs_set(frame.cursor ? 1 : 0);
    if (frame.cursor) wmove(stdscr, static_cast<int>(frame.cursor->row), static_cast<int>(frame.cursor->column));
    wrefresh(stdscr);
  }

  TerminalEvent next() override {
    wint_t c = 0;
    const int kind = wget_wch(stdscr, &c);
    if (kind == KEY_CODE_YES) {
      if (c == KEY_RESIZE) wclear(stdscr);
      return of_function_key(c);
    }
    if (kind == ERR) return is_terminal(Stream::kIn) ? TerminalEvent{} : TerminalEvent{TerminalEvent::kInterrupt};
    if (c == control('L')) wclear(stdscr);
    return of_character(c);
  }

 private:
  chtype attributes_of(Style style) const {
    switch (style) {
      case Style::kStrong:
        return A_BOLD;
      case Style::kSelected:
        return A_REVERSE;
      case Style::kFaint:
        return A_DIM;
      case Style::kGood:
        return has_colors_ ? COLOR_PAIR(kGreenPair) : A_NORMAL;
      case Style::kWarning:
        return has_colors_ ? COLOR_PAIR(kYellowPair) | A_BOLD : A_BOLD;
      case Style::kPlain:
        break;
    }
    return A_NORMAL;
  }

  SCREEN* screen_;
  bool is_utf8_;
  bool has_colors_ = false;
};

}  // namespace

std::unique_ptr<PickerTerminal> open_picker_terminal(Colors colors) {
  std::setlocale(LC_CTYPE, "");  // else ncurses takes text for bytes
  if (!can_move_cursor()) return nullptr;
  SCREEN* screen = newterm(nullptr, stdout, stdin);
  return screen ? std::make_unique<CursesTerminal>(screen, colors) : nullptr;
}

}  // namespace hf2mlx::cli
