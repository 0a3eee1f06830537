// Declaring options, and reading back what was declared. Help, completion and suggestions all read the same declarations.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "hf2mlx/places.h"

namespace hf2mlx {

// Validators for CLI::Option::check: an empty string is a yes.
std::string refuse_option_as_value(const std::string& value);  // "--output --force" is a forgotten value
std::string refuse_unless_whole_number(const std::string& value);

std::vector<std::string> split(const std::string& text, char separator);  // at least one part

// An option with one value; the last one given counts, as in Python's argparse. A type "a|b|c" names the only values allowed.
template <typename T>
CLI::Option* add_value(CLI::App& app, const std::string& names, T& target, const std::string& type, const std::string& help) {
  CLI::Option* option = app.add_option(names, target, help)->type_name(type)->expected(1)->allow_extra_args(false)->take_last();
  option->check(refuse_option_as_value);
  return option;
}

template <typename T>
CLI::Option* add_number(CLI::App& app, const std::string& names, T& target, const std::string& help) {
  return add_value(app, names, target, "N", help)->check(refuse_unless_whole_number);
}

CLI::Option* add_choice(CLI::App& app, const std::string& names, std::string& target, const std::string& choices, const std::string& help);

// One that may be given several times, with a value each.
CLI::Option* add_repeatable(CLI::App& app, const std::string& names, std::vector<std::string>& target, const std::string& type,
                            const std::string& help);

// MODEL and the options that say how to read it.
struct SourceArguments {
  std::vector<std::string> models;  // more than one is an error
  std::string revision;
  std::string arch;
  std::string arch_dir;
};
void declare_source(CLI::App& app, SourceArguments& arguments);
// Throws Error{kUsage} unless exactly one model is named.
SourceOptions source_options(const SourceArguments& arguments, const Places& places);

// An option as a person sees it.
struct OptionView {
  std::vector<std::string> names;  // with dashes, short ones first
  std::string positional;          // "MODEL", or empty
  std::string value;               // "N", "a|b|c"; empty for a flag
  std::vector<std::string> choices;
  bool value_is_optional = false;
  bool repeatable = false;
  std::string help;
  std::string group;
};
std::vector<OptionView> options_of(const CLI::App& app);

// Fills what `app` declares. An option that may stand without a value, and has choices, means the first of them. Throws CLI::ParseError.
void parse_words(CLI::App& app, const std::vector<std::string>& words);
std::string what_is_wrong(const CLI::ParseError& error);

}  // namespace hf2mlx
