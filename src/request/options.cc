// See options.h.
#include "request/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "hf2mlx/error.h"
#include "request/suggest.h"
#include "request/text.h"

namespace hf2mlx {
std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t at = text.find(separator); at != std::string::npos; at = text.find(separator, begin)) {
    parts.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string refuse_option_as_value(const std::string& value) {
  if (value.size() < 2 || value[0] != '-') return {};
  return fmt::format("needs a value, but '{}' follows", value);
}

std::string refuse_unless_whole_number(const std::string& value) {
  constexpr size_t kMostDigits = 9;
  const bool digits = !value.empty() && value.find_first_not_of("0123456789") == std::string::npos;
  if (!digits) return fmt::format("'{}' is not a whole number", value);
  if (value.size() > kMostDigits) return fmt::format("'{}' is too large", value);
  return {};
}

CLI::Option* add_choice(CLI::App& app, const std::string& names, std::string& target, const std::string& choices, const std::string& help) {
  return add_value(app, names, target, choices, help)->check([allowed = split(choices, '|')](const std::string& value) -> std::string {
    if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return {};
    const std::string guess = nearest(value, allowed);
    return fmt::format("'{}' is none of {}{}", value, join(allowed, ", "), guess.empty() ? "" : "; did you mean " + guess + "?");
  });
}

CLI::Option* add_repeatable(CLI::App& app, const std::string& names, std::vector<std::string>& target, const std::string& type,
                            const std::string& help) {
  CLI::Option* option = app.add_option(names, target, help)->type_name(type)->expected(1)->allow_extra_args(false);
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->check(refuse_option_as_value);
  return option;
}

void declare_source(CLI::App& app, SourceArguments& arguments) {
  constexpr const char* kGroup = "Model";
  add_repeatable(
      app, "--hf-path,--model,--source,MODEL", arguments.models, "MODEL",
      "a folder, or org/name of a model in the Hugging Face cache or on the hub; org/name@revision names a branch, tag or commit")
      ->group(kGroup);
  add_value(app, "--revision", arguments.revision, "REVISION", "branch, tag or commit of org/name (default: main)")->group(kGroup);
  add_value(app, "--arch", arguments.arch, "NAME", "read the model as this model type, whatever its config.json says")->group(kGroup);
  add_value(app, "--arch-dir", arguments.arch_dir, "FOLDER", "a folder of further architecture descriptions, looked at first")
      ->group(kGroup);
}

SourceOptions source_options(const SourceArguments& arguments, const Places& places) {
  if (arguments.models.empty() || arguments.models.back().empty()) {
    throw Error(ErrorCode::kUsage, "MODEL is missing", "name a folder, or a model of the Hugging Face cache: hf2mlx list shows them");
  }
  if (arguments.models.size() > 1) {
    throw Error(ErrorCode::kUsage, fmt::format("two models are named: '{}' and '{}'", arguments.models[0], arguments.models[1]),
                "MODEL, --hf-path, --model and --source are names of the same thing; give one");
  }
  SourceOptions source;
  source.model = arguments.models.front();
  source.revision = arguments.revision;
  source.cache_dir = places.hub_cache;
  source.arch = arguments.arch;
  source.arch_dir = arguments.arch_dir;
  source.hub = hub_options(places);
  return source;
}

std::vector<OptionView> options_of(const CLI::App& app) {
  std::vector<OptionView> views;
  for (const CLI::Option* option : app.get_options()) {
    OptionView view;
    for (const std::string& name : option->get_snames()) view.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) view.names.push_back("--" + name);
    if (option->get_positional()) view.positional = option->get_name(true, false);
    if (option->get_items_expected_max() > 0) view.value = option->get_type_name();
    if (view.value.find('|') != std::string::npos) view.choices = split(view.value, '|');
    view.value_is_optional = !view.value.empty() && option->get_expected_min() == 0;
    view.repeatable = option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll && view.positional.empty();
    view.help = option->get_description();
    view.group = option->get_group();
    views.push_back(std::move(view));
  }
  return views;
}

namespace {

// CLI11 would take the next word as a value, whatever it is.
std::vector<std::string> with_default_choices(const CLI::App& app, std::vector<std::string> words) {
  const std::vector<OptionView> options = options_of(app);
  for (size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    const auto option = std::find_if(options.begin(), options.end(), [&](const OptionView& view) {
      return view.value_is_optional && !view.choices.empty() &&
             std::find(view.names.begin(), view.names.end(), words[i]) != view.names.end();
    });
    if (option == options.end()) continue;
    const bool chosen =
        i + 1 < words.size() && std::find(option->choices.begin(), option->choices.end(), words[i + 1]) != option->choices.end();
    if (!chosen) words[i] += "=" + option->choices.front();
  }
  return words;
}

}  // namespace

void parse_words(CLI::App& app, const std::vector<std::string>& words) {
  std::vector<std::string> complete = with_default_choices(app, words);
  std::reverse(complete.begin(), complete.end());  // CLI11 wants them from the last to the first
  app.parse(std::move(complete));
}

// CLI11's own words, where they are good enough.
std::string what_is_wrong(const CLI::ParseError& error) {
  const std::string message = error.what();
  return dynamic_cast<const CLI::ArgumentMismatch*>(&error) ? message.substr(0, message.find(':')) + ": needs a value" : message;
}

}  // namespace hf2mlx
