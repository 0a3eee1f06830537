// See parse.h.
#include "cli/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/help.h"
#include "cli/pick.h"
#include "hf2mlx/convert.h"
#include "request/options.h"
#include "request/suggest.h"

namespace hf2mlx::cli {
namespace {

using Words = std::vector<std::string>;

std::vector<std::string> long_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const OptionView& option : options_of(app)) names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

// CLI11 takes "-xyz" apart letter by letter and keeps what it could not use; the user wrote the whole word.
std::string as_written(const std::string& rest, const Words& words) {
  if (rest.starts_with("--") || !rest.starts_with('-')) return rest;
  const auto at = std::find_if(words.begin(), words.end(), [&](const std::string& word) {
    return word.starts_with('-') && !word.starts_with("--") && word.ends_with(rest.substr(1));
  });
  return at == words.end() ? rest : *at;
}

Error unknown_option(const std::string& word, const DeclaredCommand& declared) {
  const std::string name = word.substr(0, word.find('='));
  const std::string otherwise = fmt::format("hf2mlx {} --help lists its options", declared.entry.name);
  const std::string guess = did_you_mean(name.starts_with("--") ? name : "-" + name, long_names(*declared.app), otherwise);
  return Error(ErrorCode::kUsage, fmt::format("{}: unknown option {}", declared.entry.name, name), guess);
}

void check_leftovers(const DeclaredCommand& declared, const Words& words) {
  const Words rest = declared.app->remaining();
  const auto option =
      std::find_if(rest.begin(), rest.end(), [](const std::string& word) { return word.starts_with('-') && word != "-" && word != "--"; });
  if (option != rest.end()) throw unknown_option(as_written(*option, words), declared);
  const auto extra = std::find_if(rest.begin(), rest.end(), [](const std::string& word) { return word != "--"; });
  if (extra == rest.end()) return;
  throw Error(ErrorCode::kUsage, fmt::format("{}: unexpected argument '{}'", declared.entry.name, *extra),
              "usage: " + usage_line(declared));
}

Invocation parse_command(const CommandEntry& entry, const Words& words) {
  Invocation invocation{.declared = std::make_unique<DeclaredCommand>(entry)};
  const DeclaredCommand& declared = *invocation.declared;
  declared.app->allow_extras();
  try {
    parse_words(*declared.app, words);
    check_leftovers(declared, words);
  } catch (const CLI::CallForHelp&) {
    invocation.action = Action::kHelp;
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorCode::kUsage, fmt::format("{}: {}", entry.name, what_is_wrong(error)),
                fmt::format("hf2mlx {} --help explains its options", entry.name));
  }
  return invocation;
}

Error unknown_command(const std::string& word) {
  const bool looks_like_model = word.find('/') != std::string::npos || word.starts_with('.');
  const std::string otherwise =
      looks_like_model ? fmt::format("to convert a model: hf2mlx convert {}", word) : "hf2mlx --help lists the commands";
  return Error(ErrorCode::kUsage, fmt::format("unknown command '{}'", word), did_you_mean(word, command_names(), otherwise));
}

// "--quiet convert X" is "convert --quiet X".
size_t command_position(std::span<const std::string> words) {
  const auto common = [](const std::string& word) { return word == "--json" || word == "--quiet"; };
  const auto at = std::find_if_not(words.begin(), words.end(), common);
  return at != words.end() && find_command(*at) ? static_cast<size_t>(at - words.begin()) : 0;
}

bool asks_for(const std::string& word, std::string_view long_name, std::string_view short_name) {
  return word == long_name || word == short_name;
}

// A person who only typed the name wants to choose, or to know what there is; a script that did so has a defect.
void perform_nothing(Context& context) {
  const Console& console = context.console;
  if (!console.out_is_terminal) throw Error(ErrorCode::kUsage, "no command is given", "hf2mlx --help lists the commands");
  if (!console.in_is_terminal) {
    console.out << general_help();
    return;
  }
  const std::vector<std::string> words = pick(context);
  if (!words.empty()) parse(words).perform(context);
}

}  // namespace

bool wants_json(std::span<const std::string> words) {
  const auto end = std::find(words.begin(), words.end(), "--");
  return std::find(words.begin(), end, "--json") != end;
}

Invocation parse(std::span<const std::string> words) {
  if (words.empty()) return {.action = Action::kNoCommand, .declared = nullptr};
  if (asks_for(words[0], "--help", "-h")) return {.action = Action::kGeneralHelp, .declared = nullptr};
  if (asks_for(words[0], "--version", "-V")) return {.action = Action::kVersion, .declared = nullptr};
  Words rest(words.begin(), words.end());
  if (rest[0] == "help") {
    if (rest.size() == 1) return {.action = Action::kGeneralHelp, .declared = nullptr};
    rest = {rest[1], "--help"};
  }
  const size_t position = command_position(rest);
  if (const CommandEntry* entry = find_command(rest[position])) {
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(position));
    return parse_command(*entry, rest);
  }
  if (!rest[0].starts_with('-')) throw unknown_command(rest[0]);
  return parse_command(*find_command("convert"), rest);
}

void Invocation::perform(Context& context) const {
  switch (action) {
    case Action::kRun:
      declared->command->run(context);
      break;
    case Action::kHelp:
      context.console.out << command_help(*declared);
      break;
    case Action::kGeneralHelp:
      context.console.out << general_help();
      break;
    case Action::kNoCommand:
      perform_nothing(context);
      break;
    case Action::kVersion:
      context.console.out << "hf2mlx " << version() << '\n';
      break;
  }
}

}  // namespace hf2mlx::cli
